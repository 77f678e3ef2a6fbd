"""What happens in the registry, for the webhooks that listen: recorded in the transaction of the change itself.

So nothing is lost when the process dies, and nothing is told of a change that was taken back.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final, TypeAlias

import msgspec
from sqlalchemy import Connection, Select

from tracking_server.database.after_commit import after_commit
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import webhook_deliveries as statements
from tracking_server.entities.tags import IS_PROMPT_TAG, Tag
from tracking_server.entities.webhooks import WebhookAction, WebhookEntity, WebhookEvent
from tracking_server.services.context import Context

PROMPT_TEXT_TAG: Final = "mlflow.prompt.text"
PROMPT_TYPE_TAG: Final = "_mlflow_prompt_type"


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """`of_model` is what it is when `name` is a model, `of_prompt` when it is a prompt; None: nobody is told."""

    name: str


def _kind(entity: WebhookEntity, action: WebhookAction) -> WebhookEvent:
    return WebhookEvent(entity=entity, action=action)


class ModelCreated(_Event, frozen=True, kw_only=True):
    """A registered model, or a prompt."""

    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT, WebhookAction.CREATED)

    tags: Sequence[Tag] = ()
    description: str = ""


class VersionCreated(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.MODEL_VERSION, WebhookAction.CREATED)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_VERSION, WebhookAction.CREATED)

    version: str
    source: str
    run_id: str | None = None
    tags: Sequence[Tag] = ()
    description: str = ""


class ModelTagSet(_Event, frozen=True, kw_only=True):
    """MLflow tells of the tags of prompts, and not of those of models."""

    of_model: ClassVar[None] = None
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_TAG, WebhookAction.SET)

    key: str
    value: str


class ModelTagDeleted(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[None] = None
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_TAG, WebhookAction.DELETED)

    key: str


class VersionTagSet(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.MODEL_VERSION_TAG, WebhookAction.SET)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_VERSION_TAG, WebhookAction.SET)

    version: str
    key: str
    value: str


class VersionTagDeleted(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.MODEL_VERSION_TAG, WebhookAction.DELETED)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_VERSION_TAG, WebhookAction.DELETED)

    version: str
    key: str


class AliasSet(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_ALIAS, WebhookAction.CREATED)

    alias: str
    version: str


class AliasDeleted(_Event, frozen=True, kw_only=True):
    of_model: ClassVar[WebhookEvent] = _kind(WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.DELETED)
    of_prompt: ClassVar[WebhookEvent] = _kind(WebhookEntity.PROMPT_ALIAS, WebhookAction.DELETED)

    alias: str


Event: TypeAlias = (
    ModelCreated
    | VersionCreated
    | ModelTagSet
    | ModelTagDeleted
    | VersionTagSet
    | VersionTagDeleted
    | AliasSet
    | AliasDeleted
)


def record(connection: Connection, context: Context, event: Event) -> None:
    """To be called in the transaction of the change, after it. One statement when nobody listens."""
    listeners = fetch_rows(connection, _select_listeners(event))
    if not listeners or not context.webhooks.queue.is_there(connection):
        return
    kind = WebhookEvent(entity=WebhookEntity(listeners[0][1].upper()), action=WebhookAction(listeners[0][2].upper()))
    now = context.now()
    body = body_of(kind, data_of(event, kind.entity), now).decode()
    rows = [
        {
            "delivery_id": str(uuid.UUID(context.new_id())),
            "webhook_id": webhook_id,
            "body": body,
            "created_at": now,
            "due_at": now,
            "attempts": 0,
            "leased_until": 0,
        }
        for webhook_id, _, _ in listeners
    ]
    connection.execute(statements.INSERT, rows)
    after_commit(connection, context.webhooks.wake)


def _select_listeners(event: Event) -> Select[str, str, str]:
    """The tags of what is created say whether it is a prompt; else the database knows."""
    if isinstance(event, ModelCreated | VersionCreated):
        tags = {tag.key: tag.value for tag in event.tags}
        is_prompt = tags.get(IS_PROMPT_TAG, "").lower() == "true"
        return statements.select_listeners_to(_stored(event.of_prompt if is_prompt else event.of_model))
    of_model = _stored(event.of_model) if event.of_model is not None else None
    return statements.select_listeners(of_model, _stored(event.of_prompt), event.name)


def _stored(kind: WebhookEvent) -> statements.Pair:
    return kind.entity.value.lower(), kind.action.value.lower()


def data_of(event: Event, entity: WebhookEntity) -> Mapping[str, object]:
    """The field `data` of what is delivered, as MLflow fills it for this entity."""
    tags = {tag.key: tag.value for tag in event.tags} if isinstance(event, ModelCreated | VersionCreated) else {}
    shown = {key: value for key, value in tags.items() if key not in {IS_PROMPT_TAG, PROMPT_TYPE_TAG}}
    match event:
        case ModelCreated(name=name, description=description):
            is_prompt = entity is WebhookEntity.PROMPT
            return {"name": name, "tags": shown if is_prompt else tags, "description": description}
        case VersionCreated(name=name, version=version) if entity is WebhookEntity.PROMPT_VERSION:
            template = shown.pop(PROMPT_TEXT_TAG, None)
            return {
                "name": name,
                "version": version,
                "template": template,
                "tags": shown,
                "description": event.description or None,
            }
        case VersionCreated(name=name, version=version, source=source):
            return {
                "name": name,
                "version": version,
                "source": source,
                "run_id": event.run_id or None,
                "tags": tags,
                "description": event.description or None,
            }
        case _:
            return msgspec.structs.asdict(event)


def body_of(kind: WebhookEvent, data: Mapping[str, object], now: int) -> bytes:
    """The JSON of a delivery; `now` in milliseconds is when it happened."""
    return msgspec.json.encode(
        {
            "entity": kind.entity.value.lower(),
            "action": kind.action.value.lower(),
            "timestamp": datetime.fromtimestamp(now / 1000, UTC).isoformat(),
            "data": data,
        }
    )
