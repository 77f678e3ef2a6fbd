"""Webhooks and the events that they listen to."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, delete, insert, select, update

from tracking_server.database.schema import webhook_events, webhooks
from tracking_server.database.statements.paging import PageQuery, SortKey, query_hash, select_page
from tracking_server.entities.experiments import DEFAULT_WORKSPACE
from tracking_server.entities.webhooks import ListWebhooks

COLUMNS = (
    webhooks.c.webhook_id,
    webhooks.c.name,
    webhooks.c.description,
    webhooks.c.url,
    webhooks.c.status,
    webhooks.c.creation_timestamp,
    webhooks.c.last_updated_timestamp,
)
"""What is shown of a webhook, in this order; not its secret."""

_IS_LIVE = and_(webhooks.c.deleted_timestamp.is_(None), webhooks.c.workspace == DEFAULT_WORKSPACE)
_IS_IT = and_(_IS_LIVE, webhooks.c.webhook_id == bindparam("of_webhook"))

SELECT = select(*COLUMNS).where(_IS_IT)
SELECT_SECRET = select(webhooks.c.secret).where(_IS_IT)
INSERT = insert(webhooks)
INSERT_EVENTS = insert(webhook_events)
DELETE_EVENTS = delete(webhook_events).where(webhook_events.c.webhook_id == bindparam("of_webhook"))
MARK_DELETED = (
    update(webhooks).where(_IS_IT).values(deleted_timestamp=bindparam("now"), last_updated_timestamp=bindparam("now"))
)
UPDATE = update(webhooks).where(_IS_IT)
"""With the columns that change as further parameters."""

_ORDER = (
    SortKey(column=webhooks.c.creation_timestamp, kind=int, descending=True, is_nullable=True),
    SortKey(column=webhooks.c.webhook_id, kind=str),
)


def select_webhook_page(request: ListWebhooks, size: int, dialect: str) -> PageQuery:
    """The newest first."""
    statement: Select[*tuple[Any, ...]] = select(*COLUMNS).where(_IS_LIVE)
    return select_page(
        statement, _ORDER, size=size, token=request.page_token, query=query_hash("webhooks"), dialect=dialect
    )


def select_events(webhook_ids: Sequence[str]) -> Select[str, str, str]:
    return (
        select(webhook_events.c.webhook_id, webhook_events.c.entity, webhook_events.c.action)
        .where(webhook_events.c.webhook_id.in_(webhook_ids))
        .order_by(webhook_events.c.webhook_id, webhook_events.c.entity, webhook_events.c.action)
    )
