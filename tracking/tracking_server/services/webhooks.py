"""Webhooks: create, list, read, change, delete and try them out. What they are told is in `registry_events`."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import webhook_deliveries as delivery_statements
from tracking_server.database.statements import webhooks as statements
from tracking_server.deliver.message import headers_of
from tracking_server.deliver.outcomes import Answered, Reply, Stopped, Unreached
from tracking_server.deliver.queue import MISSING
from tracking_server.deliver.secrets import Undecipherable
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.shapes import Empty
from tracking_server.entities.webhooks import (
    ACTIONS,
    CreateWebhook,
    DeleteWebhook,
    FoundWebhook,
    FoundWebhooks,
    GetWebhook,
    ListWebhooks,
    TestedWebhook,
    TestWebhook,
    UpdateWebhook,
    Webhook,
    WebhookAction,
    WebhookEntity,
    WebhookEvent,
    WebhookStatus,
    WebhookTestResult,
)
from tracking_server.errors import (
    BadRequest,
    DoesNotExist,
    InvalidParameter,
    NotImplementedHere,
    TemporarilyUnavailable,
)
from tracking_server.services.context import Context
from tracking_server.services.registry_events import body_of
from tracking_server.services.webhook_examples import example_of

_NAME: Final = re.compile(r"(?=.{1,63}\Z)[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_LARGEST_PAGE: Final = 1000
_DEFAULT_PAGE: Final = 100


def create_webhook(request: CreateWebhook, context: Context) -> FoundWebhook:
    _check_name(request.name)
    context.webhooks.poster.check(request.url)
    _check_events(request.events)
    secret = context.webhooks.secrets.encrypt(request.secret) if request.secret else None
    now = context.now()
    webhook = Webhook(
        webhook_id=str(uuid.UUID(context.new_id())),
        name=request.name,
        description=request.description,
        url=request.url,
        events=request.events,
        status=request.status,
        creation_timestamp=now,
        last_updated_timestamp=now,
    )

    def write(connection: Connection) -> None:
        if not context.webhooks.queue.is_there(connection):
            raise NotImplementedHere(MISSING)
        row = {
            "webhook_id": webhook.webhook_id,
            "name": webhook.name,
            "description": webhook.description or None,
            "url": webhook.url,
            "status": webhook.status,
            "secret": secret,
            "creation_timestamp": now,
            "last_updated_timestamp": now,
            "workspace": DEFAULT_WORKSPACE,
        }
        connection.execute(statements.INSERT, row)
        connection.execute(statements.INSERT_EVENTS, _event_rows(webhook.webhook_id, request.events))

    context.database.retrying(write)
    return FoundWebhook(webhook=webhook)


def list_webhooks(request: ListWebhooks, context: Context) -> FoundWebhooks:
    size = request.max_results or _DEFAULT_PAGE
    if not 1 <= size <= _LARGEST_PAGE:
        raise InvalidParameter(f"max_results must be between 1 and {_LARGEST_PAGE}.")
    query = statements.select_webhook_page(request, size, context.database.dialect)
    with context.database.read() as connection:
        page = query.page_of_rows(fetch_rows(connection, query.statement))
        webhooks = _fetch_webhooks(connection, page.rows)
    return FoundWebhooks(webhooks=webhooks or (), next_page_token=page.next_page_token)


def get_webhook(request: GetWebhook, context: Context) -> FoundWebhook:
    with context.database.read() as connection:
        return FoundWebhook(webhook=_fetch_webhook(connection, request.webhook_id))


def update_webhook(request: UpdateWebhook, context: Context) -> FoundWebhook:
    """What waits to be delivered goes to the address, and with the secret, that the webhook has then."""
    changes = _changes(request, context)
    if request.events:
        _check_events(request.events)

    def write(connection: Connection) -> Webhook:
        changed = connection.execute(statements.UPDATE, {"of_webhook": request.webhook_id, **changes})
        if not changed.rowcount:
            raise _no_webhook(request.webhook_id)
        if request.events:
            connection.execute(statements.DELETE_EVENTS, {"of_webhook": request.webhook_id})
            connection.execute(statements.INSERT_EVENTS, _event_rows(request.webhook_id, request.events))
        return _fetch_webhook(connection, request.webhook_id)

    webhook = context.database.retrying(write)
    context.webhooks.wake()  # it may have been disabled, with deliveries that wait
    return FoundWebhook(webhook=webhook)


def _changes(request: UpdateWebhook, context: Context) -> Mapping[str, object]:
    changes: dict[str, object] = {"last_updated_timestamp": context.now()}
    if request.name:
        _check_name(request.name)
        changes["name"] = request.name
    if request.url:
        context.webhooks.poster.check(request.url)
        changes["url"] = request.url
    if request.description is not None:
        changes["description"] = request.description
    if request.secret is not None:
        changes["secret"] = context.webhooks.secrets.encrypt(request.secret) if request.secret else None
    if request.status is not None:
        changes["status"] = request.status
    return changes


def delete_webhook(request: DeleteWebhook, context: Context) -> Empty:
    """With all that still waits to be delivered to it."""

    def write(connection: Connection) -> None:
        of_webhook = {"of_webhook": request.webhook_id}
        deleted = connection.execute(statements.MARK_DELETED, {**of_webhook, "now": context.now()})
        if not deleted.rowcount:
            raise _no_webhook(request.webhook_id)
        if context.webhooks.queue.is_there(connection):
            connection.execute(delivery_statements.DELETE_OF_WEBHOOK, of_webhook)

    context.database.retrying(write)
    return Empty()


def test_webhook(request: TestWebhook, context: Context) -> TestedWebhook:
    """One try with example data, signed as a delivery is. It is not repeated, and no redirect is followed."""
    if request.event is not None:
        _check_pair(request.event)
    with context.database.read() as connection:
        webhook = _fetch_webhook(connection, request.webhook_id)
        stored = connection.scalar(statements.SELECT_SECRET, {"of_webhook": request.webhook_id})
    if not context.webhooks.trials.acquire(blocking=False):
        raise TemporarilyUnavailable("Other webhooks are being tested just now. Try again.")
    try:
        result = _try(webhook, stored, request.event or webhook.events[0], context)
    finally:
        context.webhooks.trials.release()
    return TestedWebhook(result=result)


def _try(webhook: Webhook, stored: str | None, event: WebhookEvent, context: Context) -> WebhookTestResult:
    try:
        secret = context.webhooks.secrets.decrypt(stored) if stored else None
    except Undecipherable as error:
        return _failed(f"its secret cannot be read: {error}")
    now = context.now()
    body = body_of(event, example_of(event), now)
    headers = headers_of(str(uuid.UUID(context.new_id())), body, secret=secret, now_seconds=now // 1000)
    return _result_of(context.webhooks.poster.begin(webhook.url, headers, body, reads_body=True).send())


def _result_of(reply: Reply) -> WebhookTestResult:
    match reply:
        case Answered(status=status, body=body):
            return WebhookTestResult(
                success=200 <= status < 300,
                response_status=status,
                response_body=body.decode("utf-8", "replace"),
                error_message="Redirects are not followed." if 300 <= status < 400 else None,
            )
        case Unreached(why=why):
            return _failed(why)
        case Stopped():
            return _failed("the server stops")


def _failed(why: str) -> WebhookTestResult:
    return WebhookTestResult(success=False, error_message=f"Failed to test webhook: {why}")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"Webhook name {name!r} is invalid. It must start and end with a letter or digit, be less than 63"
            " characters long, and contain only letters, digits, dots (.), underscores (_), and hyphens (-)."
        )


def _check_events(events: Sequence[WebhookEvent]) -> None:
    if not events:
        raise InvalidParameter("Webhook events must be a non-empty list of WebhookEvent objects: [].")
    for event in events:
        _check_pair(event)
    if len(set(events)) < len(events):
        raise BadRequest("Webhook events must differ: one is given twice.")


def _check_pair(event: WebhookEvent) -> None:
    allowed = ACTIONS[event.entity]
    if event.action not in allowed:
        raise InvalidParameter(
            f"Invalid action '{event.action.lower()}' for entity '{event.entity.lower()}'."
            f" Valid actions are: {[action.lower() for action in allowed]}"
        )


def _event_rows(webhook_id: str, events: Sequence[WebhookEvent]) -> Sequence[Mapping[str, object]]:
    return [
        {"webhook_id": webhook_id, "entity": event.entity.lower(), "action": event.action.lower()} for event in events
    ]


def _fetch_webhook(connection: Connection, webhook_id: str) -> Webhook:
    found = fetch_rows(connection, statements.SELECT, {"of_webhook": webhook_id})
    if not found:
        raise _no_webhook(webhook_id)
    (webhook,) = _fetch_webhooks(connection, found)
    return webhook


def _fetch_webhooks(connection: Connection, found: Sequence[Sequence[Any]]) -> Sequence[Webhook]:
    if not found:
        return ()
    events: dict[str, list[WebhookEvent]] = {row[0]: [] for row in found}
    for webhook_id, entity, action in fetch_rows(connection, statements.select_events([row[0] for row in found])):
        kind = WebhookEvent(entity=WebhookEntity(entity.upper()), action=WebhookAction(action.upper()))
        events[webhook_id].append(kind)
    return [
        Webhook(
            webhook_id=webhook_id,
            name=name,
            description=description or "",
            url=url,
            events=events[webhook_id],
            status=WebhookStatus(status),
            creation_timestamp=created or 0,
            last_updated_timestamp=updated or 0,
        )
        for webhook_id, name, description, url, status, created, updated in found
    ]


def _no_webhook(webhook_id: str) -> DoesNotExist:
    return DoesNotExist(f"Webhook with ID {webhook_id} not found.")
