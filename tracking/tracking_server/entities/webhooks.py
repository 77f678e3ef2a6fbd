"""Webhooks: addresses that are told of changes in the registry, each of the events that it listens to."""

import enum
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from tracking_server.entities.shapes import Answer, Int32, NonEmpty, Request


class WebhookStatus(enum.StrEnum):
    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"


class WebhookEntity(enum.StrEnum):
    """In lower case in the database, and in what is delivered."""

    REGISTERED_MODEL = "REGISTERED_MODEL"
    MODEL_VERSION = "MODEL_VERSION"
    MODEL_VERSION_TAG = "MODEL_VERSION_TAG"
    MODEL_VERSION_ALIAS = "MODEL_VERSION_ALIAS"
    PROMPT = "PROMPT"
    PROMPT_VERSION = "PROMPT_VERSION"
    PROMPT_TAG = "PROMPT_TAG"
    PROMPT_VERSION_TAG = "PROMPT_VERSION_TAG"
    PROMPT_ALIAS = "PROMPT_ALIAS"
    BUDGET_POLICY = "BUDGET_POLICY"


class WebhookAction(enum.StrEnum):
    """In lower case in the database, and in what is delivered."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    DELETED = "DELETED"
    SET = "SET"
    EXCEEDED = "EXCEEDED"


ACTIONS: Final[Mapping[WebhookEntity, Sequence[WebhookAction]]] = {
    WebhookEntity.REGISTERED_MODEL: [WebhookAction.CREATED],
    WebhookEntity.MODEL_VERSION: [WebhookAction.CREATED],
    WebhookEntity.MODEL_VERSION_TAG: [WebhookAction.DELETED, WebhookAction.SET],
    WebhookEntity.MODEL_VERSION_ALIAS: [WebhookAction.CREATED, WebhookAction.DELETED],
    WebhookEntity.PROMPT: [WebhookAction.CREATED],
    WebhookEntity.PROMPT_VERSION: [WebhookAction.CREATED],
    WebhookEntity.PROMPT_TAG: [WebhookAction.DELETED, WebhookAction.SET],
    WebhookEntity.PROMPT_VERSION_TAG: [WebhookAction.DELETED, WebhookAction.SET],
    WebhookEntity.PROMPT_ALIAS: [WebhookAction.CREATED, WebhookAction.DELETED],
    WebhookEntity.BUDGET_POLICY: [WebhookAction.EXCEEDED],
}
"""What may be listened to. Nothing here has budget policies, so that event never comes."""


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    entity: WebhookEntity
    action: WebhookAction


class Webhook(Answer, frozen=True, kw_only=True):
    """Without its secret, which nobody is told."""

    webhook_id: str
    name: str
    description: str = ""
    url: str
    events: Sequence[WebhookEvent]
    status: WebhookStatus
    creation_timestamp: int
    last_updated_timestamp: int


class FoundWebhook(Answer, frozen=True, kw_only=True):
    webhook: Webhook


class FoundWebhooks(Answer, frozen=True, kw_only=True):
    webhooks: Sequence[Webhook] = ()
    next_page_token: str = ""


class WebhookTestResult(Answer, frozen=True, kw_only=True):
    success: bool
    response_status: int | None = None
    response_body: str | None = None
    error_message: str | None = None


class TestedWebhook(Answer, frozen=True, kw_only=True):
    result: WebhookTestResult


class CreateWebhook(Request, frozen=True, kw_only=True):
    name: NonEmpty
    url: NonEmpty
    events: tuple[WebhookEvent, ...]
    description: str = ""
    secret: str = ""
    status: WebhookStatus = WebhookStatus.ACTIVE


class ListWebhooks(Request, frozen=True, kw_only=True):
    max_results: Int32 = 100
    page_token: str = ""


class GetWebhook(Request, frozen=True, kw_only=True):
    webhook_id: NonEmpty


class UpdateWebhook(Request, frozen=True, kw_only=True):
    """What is not given stays. An empty secret or description takes the one that is there away."""

    webhook_id: NonEmpty
    name: str = ""
    url: str = ""
    events: tuple[WebhookEvent, ...] = ()
    description: str | None = None
    secret: str | None = None
    status: WebhookStatus | None = None


class DeleteWebhook(Request, frozen=True, kw_only=True):
    webhook_id: NonEmpty


class TestWebhook(Request, frozen=True, kw_only=True):
    """Without an event, the first one that the webhook listens to."""

    webhook_id: NonEmpty
    event: WebhookEvent | None = None
