"""What a webhook is told of each event; that MLflow tells the same, tests/contract/client shows."""

from collections.abc import Mapping

import msgspec
import pytest

from tracking_server.entities.tags import Tag
from tracking_server.entities.webhooks import ACTIONS, WebhookAction, WebhookEntity, WebhookEvent
from tracking_server.services.registry_events import (
    AliasDeleted,
    AliasSet,
    Event,
    ModelCreated,
    ModelTagDeleted,
    ModelTagSet,
    VersionCreated,
    VersionTagDeleted,
    VersionTagSet,
    body_of,
    data_of,
)
from tracking_server.services.webhook_examples import example_of

TAGS = [
    Tag("mlflow.prompt.is_prompt", "true"),
    Tag("_mlflow_prompt_type", "text"),
    Tag("mlflow.prompt.text", "Hello"),
    Tag("k", "old"),
    Tag("k", "v"),
]


@pytest.mark.parametrize(
    ("event", "entity", "data"),
    [
        pytest.param(
            ModelCreated(name="m", tags=[Tag("k", "v")]),
            WebhookEntity.REGISTERED_MODEL,
            {"name": "m", "tags": {"k": "v"}, "description": ""},
            id="model",
        ),
        pytest.param(
            ModelCreated(name="p", tags=TAGS[:2], description="d"),
            WebhookEntity.PROMPT,
            {"name": "p", "tags": {}, "description": "d"},
            id="prompt",
        ),
        pytest.param(
            VersionCreated(name="m", version="3", source="s", tags=[Tag("k", "v")]),
            WebhookEntity.MODEL_VERSION,
            {"name": "m", "version": "3", "source": "s", "run_id": None, "tags": {"k": "v"}, "description": None},
            id="version",
        ),
        pytest.param(
            VersionCreated(name="p", version="1", source="s", tags=TAGS, description="d"),
            WebhookEntity.PROMPT_VERSION,
            {"name": "p", "version": "1", "template": "Hello", "tags": {"k": "v"}, "description": "d"},
            id="prompt version",
        ),
        pytest.param(
            ModelTagSet(name="p", key="k", value="v"),
            WebhookEntity.PROMPT_TAG,
            {"name": "p", "key": "k", "value": "v"},
            id="prompt tag set",
        ),
        pytest.param(
            ModelTagDeleted(name="p", key="k"),
            WebhookEntity.PROMPT_TAG,
            {"name": "p", "key": "k"},
            id="prompt tag deleted",
        ),
        pytest.param(
            VersionTagSet(name="m", version="1", key="k", value="v"),
            WebhookEntity.MODEL_VERSION_TAG,
            {"name": "m", "version": "1", "key": "k", "value": "v"},
            id="version tag set",
        ),
        pytest.param(
            VersionTagDeleted(name="m", version="1", key="k"),
            WebhookEntity.MODEL_VERSION_TAG,
            {"name": "m", "version": "1", "key": "k"},
            id="version tag deleted",
        ),
        pytest.param(
            AliasSet(name="m", alias="a", version="1"),
            WebhookEntity.MODEL_VERSION_ALIAS,
            {"name": "m", "alias": "a", "version": "1"},
            id="alias set",
        ),
        pytest.param(
            AliasDeleted(name="m", alias="a"),
            WebhookEntity.MODEL_VERSION_ALIAS,
            {"name": "m", "alias": "a"},
            id="alias deleted",
        ),
    ],
)
def test_the_data_of_an_event(event: Event, entity: WebhookEntity, data: Mapping[str, object]) -> None:
    assert data_of(event, entity) == data


def test_a_body_says_what_happened_and_when() -> None:
    kind = WebhookEvent(entity=WebhookEntity.PROMPT_ALIAS, action=WebhookAction.DELETED)
    assert msgspec.json.decode(body_of(kind, {"name": "p", "alias": "a"}, 1_700_000_000_123)) == {
        "entity": "prompt_alias",
        "action": "deleted",
        "timestamp": "2023-11-14T22:13:20.123000+00:00",
        "data": {"name": "p", "alias": "a"},
    }


@pytest.mark.parametrize(
    "kind", [WebhookEvent(entity=entity, action=action) for entity, actions in ACTIONS.items() for action in actions]
)
def test_there_is_an_example_of_every_kind(kind: WebhookEvent) -> None:
    assert example_of(kind)
