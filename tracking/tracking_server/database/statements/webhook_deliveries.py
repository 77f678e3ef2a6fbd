"""The queue of deliveries: who listens to an event, what is due, who sends it, and how it ended.

A webhook is told one thing after another. Its head is its oldest delivery that still waits, and only heads are sent.
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Delete,
    Select,
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from tracking_server.database.schema import registered_model_tags, webhook_events, webhooks
from tracking_server.database.schema import trackplane_webhook_deliveries as deliveries
from tracking_server.entities.tags import IS_PROMPT_TAG

WORKSPACE = "default"

INSERT = insert(deliveries)

_IS_LIVE = and_(webhooks.c.deleted_timestamp.is_(None), webhooks.c.workspace == WORKSPACE)
_IS_HEARD = and_(_IS_LIVE, webhooks.c.status == "ACTIVE")
_WAITS = deliveries.c.failed_at.is_(None)


Pair: TypeAlias = tuple[str, str]
"""An entity and an action, as they are stored."""


def select_listeners_to(pair: Pair) -> Select[str, str, str]:
    return _listeners().where(_is_event(pair))


def select_listeners(of_model: Pair | None, of_prompt: Pair, name: str) -> Select[str, str, str]:
    """Who listens to the one of the two that it is, and which: whether `name` is a prompt decides."""
    is_prompt = _is_prompt(name)
    heard = and_(_is_event(of_prompt), is_prompt)
    if of_model is not None:
        heard = or_(heard, and_(_is_event(of_model), not_(is_prompt)))
    return _listeners().where(heard)


def _listeners() -> Select[str, str, str]:
    return (
        select(webhooks.c.webhook_id, webhook_events.c.entity, webhook_events.c.action)
        .join(webhook_events, webhook_events.c.webhook_id == webhooks.c.webhook_id)
        .where(_IS_HEARD)
        .order_by(webhooks.c.webhook_id)
    )


def _is_event(pair: Pair) -> ColumnElement[bool]:
    return and_(webhook_events.c.entity == pair[0], webhook_events.c.action == pair[1])


def _is_prompt(name: str) -> ColumnElement[bool]:
    return (
        select(registered_model_tags.c.name)
        .where(
            registered_model_tags.c.workspace == WORKSPACE,
            registered_model_tags.c.name == name,
            registered_model_tags.c.key == IS_PROMPT_TAG,
            func.lower(registered_model_tags.c.value) == "true",
        )
        .exists()
    )


def _head() -> ColumnElement[int]:
    oldest = deliveries.alias()
    return (
        select(func.min(oldest.c.sequence))
        .where(oldest.c.webhook_id == webhooks.c.webhook_id, oldest.c.failed_at.is_(None))
        .scalar_subquery()
    )


SELECT_HEADS: Select[int, int, int] = (
    select(deliveries.c.sequence, deliveries.c.due_at, deliveries.c.leased_until)
    .select_from(webhooks)
    .join(deliveries, deliveries.c.sequence == _head())
    .where(_IS_HEARD)
    .order_by(deliveries.c.due_at, deliveries.c.sequence)
)


def claim(sequences: Collection[int]) -> Update:
    """Takes those that nobody else has taken since; parameters `lease`, `now` and `until`."""
    return (
        update(deliveries)
        .where(deliveries.c.sequence.in_(sequences), _WAITS, deliveries.c.leased_until <= bindparam("now"))
        .values(lease_id=bindparam("lease"), leased_until=bindparam("until"))
    )


def select_claimed(sequences: Collection[int], lease: str) -> Select[*tuple[Any, ...]]:
    return (
        select(
            deliveries.c.sequence,
            deliveries.c.delivery_id,
            deliveries.c.webhook_id,
            deliveries.c.body,
            deliveries.c.attempts,
            webhooks.c.url,
            webhooks.c.secret,
        )
        .join(webhooks, webhooks.c.webhook_id == deliveries.c.webhook_id)
        .where(deliveries.c.sequence.in_(sequences), deliveries.c.lease_id == lease)
        .order_by(deliveries.c.sequence)
    )


_IS_MINE = and_(deliveries.c.sequence == bindparam("of_sequence"), deliveries.c.lease_id == bindparam("lease"))

DELETE_ARRIVED = delete(deliveries).where(_IS_MINE)
UPDATE_FOR_RETRY = (
    update(deliveries)
    .where(_IS_MINE)
    .values(
        attempts=bindparam("tries"),
        due_at=bindparam("due"),
        failure=bindparam("why"),
        lease_id=None,
        leased_until=0,
    )
)
UPDATE_GIVEN_UP = (
    update(deliveries)
    .where(_IS_MINE)
    .values(
        attempts=bindparam("tries"),
        failed_at=bindparam("now"),
        failure=bindparam("why"),
        lease_id=None,
        leased_until=0,
    )
)
RELEASE = update(deliveries).where(_IS_MINE).values(lease_id=None, leased_until=0)


def tidying() -> Sequence[Update | Delete]:
    """What waited too long is given up; what was given up long ago, or is of no webhook any more, goes.

    Parameters `now`, `waiting_since` and `failed_since`.
    """
    return (
        update(deliveries)
        .where(
            _WAITS, deliveries.c.created_at < bindparam("waiting_since"), deliveries.c.leased_until <= bindparam("now")
        )
        .values(failed_at=bindparam("now"), failure="it waited too long"),
        delete(deliveries).where(deliveries.c.failed_at < bindparam("failed_since")),
        delete(deliveries).where(
            deliveries.c.webhook_id.not_in(select(webhooks.c.webhook_id).where(webhooks.c.deleted_timestamp.is_(None)))
        ),
    )


DELETE_OF_WEBHOOK = delete(deliveries).where(deliveries.c.webhook_id == bindparam("of_webhook"))
