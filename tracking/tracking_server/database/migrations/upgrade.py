"""Builds an empty database, and takes one that is behind to the heads: under the lock, a step at a time."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, assert_never

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError

from tracking_server.database import schema
from tracking_server.database.check import (
    BUILD,
    Current,
    DatabaseState,
    Empty,
    Foreign,
    Newer,
    Outdated,
    Step,
    explain,
    inspect_database,
    trackplane_steps,
)
from tracking_server.database.failures import translate
from tracking_server.database.lock import MigrationLock, migration_lock
from tracking_server.database.migrations import mlflow, trackplane
from tracking_server.database.transactions import Database
from tracking_server.errors import MigrationFailed, SchemaUnsupported, TemporarilyUnavailable

WAIT_SECONDS: Final = 600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgraded:
    """What was done. Nothing, when `steps` is empty."""

    before: DatabaseState
    after: DatabaseState
    steps: tuple[str, ...]
    """As `<lineage>:<revision>`."""


def _nothing(_step: str) -> None:
    pass


def upgrade(
    database: Database, *, wait_seconds: float = WAIT_SECONDS, before_step: Callable[[str], None] = _nothing
) -> Upgraded:
    """Raises LockBusy, SchemaUnsupported, MigrationFailed. After a kill at any moment it can be run again."""
    with migration_lock(database, wait_seconds=wait_seconds) as lock:
        before = _inspect(lock.connection)
        match before:
            case Current():
                return Upgraded(before=before, after=before, steps=())
            case Empty():
                done = _build(lock, before_step)
            case Outdated(is_at_mlflow_head=True):
                done = _advance(lock, before.steps, before_step)
            case Outdated() | Newer() | Foreign():
                raise SchemaUnsupported(explain(before))
            case _:
                assert_never(before)
        return Upgraded(before=before, after=_inspect(lock.connection), steps=done)


def create_schema(database: Database, *, wait_seconds: float = WAIT_SECONDS) -> bool:
    """Builds an empty database at both heads. False when it was not empty: it is then left as it is."""
    with migration_lock(database, wait_seconds=wait_seconds) as lock:
        state = _inspect(lock.connection)
        if not isinstance(state, Empty):
            return False
        _build(lock, _nothing)
        return True


def _build(lock: MigrationLock, before_step: Callable[[str], None]) -> tuple[str, ...]:
    first = f"{BUILD.lineage}:{BUILD.revision}"
    with _step(lock, first, before_step), lock.connection.begin():
        schema.alembic_version_trackplane.create(lock.connection, checkfirst=True)  # says whose the tables are
        schema.metadata.create_all(lock.connection)
        schema.alembic_version.create(lock.connection, checkfirst=True)
        lock.connection.execute(
            insert(schema.workspaces).values(name="default", description="Default workspace for legacy resources")
        )
        lock.connection.execute(insert(schema.alembic_version).values(version_num=mlflow.HEAD))
    return (first, *_advance(lock, trackplane_steps(), before_step))


def _advance(lock: MigrationLock, steps: Sequence[Step], before_step: Callable[[str], None]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        name = f"{step.lineage}:{step.revision}"
        with _step(lock, name, before_step):
            _run(lock.connection, step.revision)
        names.append(name)
    return tuple(names)


@contextmanager
def _step(lock: MigrationLock, name: str, before_step: Callable[[str], None]) -> Generator[None]:
    lock.check()
    before_step(name)
    try:
        yield
    except DBAPIError as error:
        translated = translate(error)
        if isinstance(translated, TemporarilyUnavailable):
            raise translated from error
        raise MigrationFailed(
            f"The step {name} failed, and the database stands before it: {str(error.orig).strip()}."
            " When its cause is mended, run the upgrade again."
        ) from error
    finally:
        if not lock.connection.invalidated:
            lock.connection.rollback()


def _run(connection: Connection, revision: str) -> None:
    from alembic import command  # only where there is something to migrate: it takes long to load
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(trackplane.SCRIPTS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    configuration.attributes["connection"] = connection
    configuration.attributes["transactional_ddl"] = connection.dialect.name != "mysql"
    command.upgrade(configuration, revision)


def _inspect(connection: Connection) -> DatabaseState:
    state = inspect_database(connection)
    connection.rollback()
    return state
