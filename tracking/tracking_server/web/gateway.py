"""The application of a server that keeps no data: its table, whose calls another tracking server answers."""

import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import Final

from tracking_server.artifacts.closed import ClosedStore
from tracking_server.artifacts.options import StoreOptions
from tracking_server.database.transactions import open_database
from tracking_server.gateway.options import GatewayOptions
from tracking_server.gateway.upstream import Upstream
from tracking_server.services.context import Context
from tracking_server.services.presigned import abilities
from tracking_server.settings import Settings
from tracking_server.web import forwarding as forwarding  # noqa: PLC0414 - loaded once, before workers are forked
from tracking_server.web.app import Application
from tracking_server.web.artifact_routes import ARTIFACT_ROWS, PROXIED_ROWS
from tracking_server.web.assembly import NOT_SERVED, context_of, edge_of
from tracking_server.web.front_page import front_page_route
from tracking_server.web.route import Download, Fixed, Forwarded, Probe, Route, Row, Upload
from tracking_server.web.routes import TRACKING
from tracking_server.web.routing import RouteTable
from tracking_server.web.service_routes import SERVER_INFO, VERSION, info_route, probe_rows

logger = logging.getLogger(__name__)

_CALL_THREADS: Final = 32
"""Each waits for the other server most of its time."""
_NOWHERE: Final = "sqlite://"
"""No row of this table asks a database, and nothing is connected to before somebody does."""


def load_gateway(
    settings: Settings, options: GatewayOptions, working_directory: Path, store_options: StoreOptions
) -> Application:
    """Once for all server processes. Raises CommandFailed."""
    upstream = Upstream(settings.backend_store_uri.reveal(), options, pseudonym=f"trackplane-{token_hex(8)}")
    # It may come as a surprise: MLFLOW_TRACKING_URI, which clients read, is a backend too.
    logger.info("calls are passed on to another server", extra={"server": upstream.name})
    open_context = partial(_context, settings, working_directory, store_options)
    own = _own_rows(settings, open_context())
    return Application(
        table=RouteTable(
            (*rows(upstream, own), front_page_route(settings.static_prefix, upstream=upstream.name)),
            static_prefix=settings.static_prefix,
        ),
        edge=edge_of(settings),
        open_context=partial(_serving, upstream, open_context),
        core_threads=_CALL_THREADS,
    )


def rows(upstream: Upstream, own: Iterable[Row] = ()) -> tuple[Row, ...]:
    """The whole table; `own`: rows that are answered here."""
    kept = {(row.method, row.path): row for row in own}
    passed = (
        Forwarded(method="GET", path=VERSION, upstream=upstream),
        Forwarded(method="GET", path=SERVER_INFO, upstream=upstream),
        *(forwarded(row, upstream) for row in (*TRACKING, *ARTIFACT_ROWS)),
    )
    return (
        *probe_rows(lambda _: upstream.check()),
        *(kept.get((row.method, row.path), row) for row in passed),
    )


def forwarded(row: Row, upstream: Upstream) -> Row:
    """What is known before the question stays here."""
    match row:
        case Route():
            return Forwarded(method=row.method, path=row.path, upstream=upstream, body_limit_bytes=row.body_limit_bytes)
        case Download():
            return Forwarded(method=row.method, path=row.path, upstream=upstream, is_download=True)
        case Upload():
            return Forwarded(
                method=row.method,
                path=row.path,
                upstream=upstream,
                is_upload=True,
                body_limit_bytes=row.body_limit_bytes,
            )
        case Fixed() | Probe() | Forwarded():
            return row


def _own_rows(settings: Settings, context: Context) -> tuple[Row, ...]:
    """Artifacts that clients reach through this server, when it has a place for them, or is to serve none."""
    if settings.serves_artifacts and not settings.artifacts_destination:
        return ()
    return (info_route(abilities(context)), *PROXIED_ROWS)


def _context(settings: Settings, working_directory: Path, store_options: StoreOptions) -> Context:
    nowhere = open_database(_NOWHERE)
    if settings.serves_artifacts and settings.artifacts_destination:
        return context_of(settings, nowhere, working_directory, store_options)
    return Context(database=nowhere, artifact_store=ClosedStore(NOT_SERVED), default_artifact_root="")


@contextmanager
def _serving(upstream: Upstream, open_context: Callable[[], Context]) -> Generator[Context]:
    try:
        yield open_context()
    finally:
        upstream.close()
