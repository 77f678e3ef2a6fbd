"""The application from its settings: its table, its checks at the edge, its database and its stores."""

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from tracking_server.artifacts.closed import ClosedStore
from tracking_server.artifacts.open_store import absolute_uri, open_roots
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.roots import Root, is_proxied
from tracking_server.artifacts.signing import signing_store
from tracking_server.database.access import access_of
from tracking_server.database.lock import serving_lock
from tracking_server.database.start import DEFAULT_EXPERIMENT, ensure_default_experiment, ready_database
from tracking_server.database.transactions import Database, DatabaseOptions, open_database
from tracking_server.database.waiting import when_it_answers
from tracking_server.errors import ConfigInvalid
from tracking_server.filestore.backend import follow_folder
from tracking_server.services.context import Context
from tracking_server.services.locations import artifact_root_of_experiment
from tracking_server.services.presigned import Abilities, abilities
from tracking_server.settings import Settings
from tracking_server.web.app import Application, Edge
from tracking_server.web.artifact_routes import ARTIFACT_ROWS
from tracking_server.web.cross_origin import CrossOrigin
from tracking_server.web.front_page import front_page_route
from tracking_server.web.hosts import HostRule, OriginRule
from tracking_server.web.route import Row
from tracking_server.web.routes import TRACKING
from tracking_server.web.routing import RouteTable
from tracking_server.web.service_routes import service_rows
from tracking_server.web.webhooks import delivering

logger = logging.getLogger(__name__)


def rows(abilities: Abilities) -> tuple[Row, ...]:
    return (*service_rows(abilities), *TRACKING, *ARTIFACT_ROWS)


ROWS: Final = rows(Abilities())

_POOL_SIZE = 5
NOT_SERVED = "This server does not serve artifacts (--no-serve-artifacts): use the artifact store itself."


def load_application(settings: Settings, working_directory: Path, store_options: StoreOptions) -> Application:
    """Accepts or builds the database, once for all server processes. Raises CommandFailed."""
    database = open_database(settings.backend_store_uri.reveal(), database_options(settings))
    context = context_of(settings, database, working_directory, store_options)
    warning = when_it_answers(
        partial(ready_database, database, creates_schema=settings.creates_schema),
        wait_seconds=settings.database_wait_seconds,
    )
    if warning is not None:
        logger.warning(warning)
    follow_folder(database, creates_schema=settings.creates_schema)
    location = artifact_root_of_experiment(context.default_artifact_root, DEFAULT_EXPERIMENT)
    ensure_default_experiment(database, location, time.time_ns() // 1_000_000)
    database.dispose()
    return Application(
        table=RouteTable(
            (*rows(abilities(context)), front_page_route(settings.static_prefix)), static_prefix=settings.static_prefix
        ),
        edge=edge_of(settings),
        open_context=partial(_serving, settings, database, working_directory, store_options),
        core_threads=max(1, database.options.capacity - 1),  # one connection is left for the probe
    )


@contextmanager
def _serving(
    settings: Settings, database: Database, working_directory: Path, store_options: StoreOptions
) -> Generator[Context]:
    """What one server process holds. A lock that it cannot get keeps nobody from being served."""
    with ExitStack() as held:
        try:
            held.enter_context(serving_lock(database))
        except Exception:
            logger.warning("a migration will not see this server", exc_info=True)
        held.callback(database.dispose)
        context = context_of(settings, database, working_directory, store_options)
        yield held.enter_context(delivering(settings, context))


def database_options(settings: Settings) -> DatabaseOptions:
    return DatabaseOptions(
        pool_size=settings.pool_size or _POOL_SIZE,
        max_overflow=settings.max_overflow,
        pool_recycle_seconds=settings.pool_recycle_seconds or -1,
        pool_class=settings.pool_class or None,
        echo=settings.echoes_statements,
        access=access_of(settings),
    )


def context_of(settings: Settings, database: Database, working_directory: Path, store_options: StoreOptions) -> Context:
    served = settings.serves_artifacts
    destination = settings.artifacts_destination if served else settings.default_artifact_root
    default_root = absolute_uri(settings.default_artifact_root, working_directory, store_options)
    roots = _roots(destination, settings, working_directory, store_options)
    presigns = settings.artifacts_access == "presigned"
    if presigns and (not roots or signing_store(roots[0].store) is None):
        raise ConfigInvalid(_cannot_sign(destination))
    return Context(
        database=database,
        artifact_store=roots[0].store if served else ClosedStore(NOT_SERVED),
        artifact_roots=roots,
        default_artifact_root=default_root,
        artifacts_destination=settings.artifacts_destination,
        presigns=presigns,
        presigned_download_seconds=settings.presigned_download_seconds,
        allowed_host_schemes=settings.allowed_host_schemes,
        max_location_characters=settings.max_location_characters,
        model_source_pattern=settings.model_source_pattern,
        truncate_long_values=settings.truncates_long_values,
    )


def _roots(
    destination: str, settings: Settings, working_directory: Path, store_options: StoreOptions
) -> Sequence[Root]:
    """None when another server serves the artifacts."""
    if not settings.serves_artifacts and is_proxied(settings.default_artifact_root):
        return ()
    return open_roots(destination, settings.default_artifact_root, working_directory, store_options)


def _cannot_sign(destination: str) -> str:
    return (
        "--artifacts-access presigned (TRACKPLANE_ARTIFACTS_ACCESS) needs a store that signs addresses for clients, and"
        f" {destination!r} is a folder, which only this server reaches. Keep artifacts in s3://, gs://, wasbs://,"
        " abfss:// or azure://, or choose proxied."
    )


def edge_of(settings: Settings) -> Edge:
    headers = [(b"x-content-type-options", b"nosniff")]
    if settings.x_frame_options != "NONE":
        headers.append((b"x-frame-options", settings.x_frame_options.encode()))
    checks = settings.checks_requests
    return Edge(
        hosts=HostRule(settings.allowed_hosts) if checks else None,
        cross_origin=CrossOrigin(OriginRule(settings.cors_allowed_origins)) if checks else None,
        common_headers=tuple(headers),
    )
