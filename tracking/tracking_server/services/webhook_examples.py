"""What a webhook is sent when it is tried out: the example of each event that MLflow sends."""

from collections.abc import Mapping
from typing import Final

from tracking_server.entities.webhooks import WebhookAction, WebhookEntity, WebhookEvent

_TAGS: Final = {"example_key": "example_value"}
_KEY: Final = {"key": "example_key"}
_VALUE: Final = {"value": "example_value"}
_ALIAS: Final = {"alias": "example_alias"}
_VERSION: Final = {"version": "1"}
_MODEL: Final = {"name": "example_model"}
_PROMPT: Final = {"name": "example_prompt"}

_EXAMPLES: Final[Mapping[tuple[WebhookEntity, WebhookAction], Mapping[str, object]]] = {
    (WebhookEntity.REGISTERED_MODEL, WebhookAction.CREATED): {
        **_MODEL,
        "tags": _TAGS,
        "description": "An example registered model",
    },
    (WebhookEntity.MODEL_VERSION, WebhookAction.CREATED): {
        **_MODEL,
        **_VERSION,
        "source": "models:/123",
        "run_id": "abcd1234abcd5678",
        "tags": _TAGS,
        "description": "An example model version",
    },
    (WebhookEntity.MODEL_VERSION_TAG, WebhookAction.SET): {**_MODEL, **_VERSION, **_KEY, **_VALUE},
    (WebhookEntity.MODEL_VERSION_TAG, WebhookAction.DELETED): {**_MODEL, **_VERSION, **_KEY},
    (WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.CREATED): {**_MODEL, **_ALIAS, **_VERSION},
    (WebhookEntity.MODEL_VERSION_ALIAS, WebhookAction.DELETED): {**_MODEL, **_ALIAS},
    (WebhookEntity.PROMPT, WebhookAction.CREATED): {**_PROMPT, "tags": _TAGS, "description": "An example prompt"},
    (WebhookEntity.PROMPT_VERSION, WebhookAction.CREATED): {
        **_PROMPT,
        **_VERSION,
        "template": "Hello {{name}}!",
        "tags": _TAGS,
        "description": "An example prompt version",
    },
    (WebhookEntity.PROMPT_TAG, WebhookAction.SET): {**_PROMPT, **_KEY, **_VALUE},
    (WebhookEntity.PROMPT_TAG, WebhookAction.DELETED): {**_PROMPT, **_KEY},
    (WebhookEntity.PROMPT_VERSION_TAG, WebhookAction.SET): {**_PROMPT, **_VERSION, **_KEY, **_VALUE},
    (WebhookEntity.PROMPT_VERSION_TAG, WebhookAction.DELETED): {**_PROMPT, **_VERSION, **_KEY},
    (WebhookEntity.PROMPT_ALIAS, WebhookAction.CREATED): {**_PROMPT, **_ALIAS, **_VERSION},
    (WebhookEntity.PROMPT_ALIAS, WebhookAction.DELETED): {**_PROMPT, **_ALIAS},
    (WebhookEntity.BUDGET_POLICY, WebhookAction.EXCEEDED): {
        "budget_policy_id": "bp-abc123",
        "budget_unit": "USD",
        "budget_amount": 100.0,
        "current_spend": 105.5,
        "duration_unit": "MONTHS",
        "duration_value": 1,
        "target_scope": "ENDPOINT",
        "workspace": "default",
        "target_value": "ep-abc123",
        "window_start": 1704067200000,
    },
}


def example_of(event: WebhookEvent) -> Mapping[str, object]:
    return _EXAMPLES[event.entity, event.action]
