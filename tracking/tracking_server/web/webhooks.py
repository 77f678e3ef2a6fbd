"""Webhooks of one server process, from the settings: what its operations use, and the thread that delivers."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from tracking_server.database.transactions import Database
from tracking_server.deliver.deliverer import Deliverer, DeliveryOptions, Wake
from tracking_server.deliver.outbound import Outbound
from tracking_server.deliver.posting import Poster
from tracking_server.deliver.resolving import AddressRule
from tracking_server.deliver.secrets import SecretKeeper
from tracking_server.services.context import Context
from tracking_server.settings import Settings

KEY_SUFFIX: Final = ".webhook-key"


@contextmanager
def delivering(settings: Settings, context: Context) -> Generator[Context]:
    """The context with which operations tell webhooks; they are told until the block ends."""
    wake = Wake()
    outbound = outbound_of(settings, context.database, wake)
    deliverer = Deliverer(
        database=context.database,
        presence=outbound.queue,
        poster=outbound.poster,
        secrets=outbound.secrets,
        wake=wake,
        options=DeliveryOptions(senders=settings.webhook_senders, max_retries=settings.webhook_max_retries),
    )
    deliverer.start()
    try:
        yield replace(context, webhooks=outbound)
    finally:
        deliverer.stop()


def outbound_of(settings: Settings, database: Database, wake: Wake) -> Outbound:
    return Outbound(
        poster=Poster(
            schemes=settings.webhook_schemes,
            addresses=AddressRule(allows_private=settings.webhooks_reach_private),
            timeout_seconds=settings.webhook_timeout_seconds,
        ),
        secrets=SecretKeeper(settings.webhook_secret_key, key_file_of(database)),
        wake=wake,
    )


def key_file_of(database: Database) -> Path | None:
    """Where all processes that share the database find it: beside the file of an embedded one."""
    path = database.url.path
    return path.absolute().with_name(f"{path.name}{KEY_SUFFIX}") if path is not None else None
