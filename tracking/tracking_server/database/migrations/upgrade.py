"""Builds an empty database, and takes one that is behind to the heads: under the lock, a step at a time."""

import sqlite3
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, assert_never, cast

from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError

from tracking_server.database import schema
from tracking_server.database.check import (
    BUILD,
    Current,
    DatabaseState,
    Empty,
    Foreign,
    LineageName,
    Newer,
    Outdated,
    Step,
    explain,
    inspect_database,
    steps_to,
)
from tracking_server.database.failures import translate
from tracking_server.database.lock import MigrationLock, migration_lock
from tracking_server.database.migrations import mlflow, trackplane
from tracking_server.database.transactions import Database
from tracking_server.errors import MigrationFailed, SchemaUnsupported, TemporarilyUnavailable

if TYPE_CHECKING:
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

WAIT_SECONDS: Final = 600.0
SCRIPTS: Final[Mapping[LineageName, Path]] = {"mlflow": mlflow.SCRIPTS, "trackplane": trackplane.SCRIPTS}
VERSION_TABLES: Final[Mapping[LineageName, str]] = {
    "mlflow": mlflow.VERSION_TABLE,
    "trackplane": trackplane.VERSION_TABLE,
}


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
    database: Database,
    *,
    wait_seconds: float = WAIT_SECONDS,
    before_step: Callable[[str], None] = _nothing,
    to: str | None = None,
) -> Upgraded:
    """Raises LockBusy, SchemaUnsupported, MigrationFailed. After a kill at any moment it can be run again.

    `to`: a revision of either lineage, to stop there. Raises ConfigInvalid when it is not known, or lies behind.
    """
    with migration_lock(database, wait_seconds=wait_seconds) as lock:
        before = _inspect(lock.connection)
        match before:
            case Current():
                steps_to(before, to)
                return Upgraded(before=before, after=before, steps=())
            case Empty():
                done = _build(lock, before_step, steps_to(before, to))
            case Outdated():
                done = _advance(lock, steps_to(before, to), before_step)
            case Newer() | Foreign():
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
        _build(lock, _nothing, state.steps)
        return True


def _build(lock: MigrationLock, before_step: Callable[[str], None], steps: Sequence[Step]) -> tuple[str, ...]:
    """`steps`: the first is this one."""
    first = f"{BUILD.lineage}:{BUILD.revision}"
    with _step(lock, first, before_step), lock.connection.begin():
        make_head(lock.connection)
    return (first, *_advance(lock, steps[1:], before_step))


def make_head(connection: Connection) -> None:
    """All of MLflow's tables at its head, in the transaction that is open."""
    schema.alembic_version_trackplane.create(connection, checkfirst=True)  # says whose the tables are
    schema.metadata.create_all(connection)
    schema.alembic_version.create(connection, checkfirst=True)
    connection.execute(
        insert(schema.workspaces).values(name="default", description="Default workspace for legacy resources")
    )
    connection.execute(insert(schema.alembic_version).values(version_num=mlflow.HEAD))


def _advance(lock: MigrationLock, steps: Sequence[Step], before_step: Callable[[str], None]) -> tuple[str, ...]:
    names: list[str] = []
    for step in steps:
        name = f"{step.lineage}:{step.revision}"
        with _step(lock, name, before_step), _foreign_keys_asleep(lock.connection):
            run_revision(lock.connection, step.lineage, step.revision)
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


@cache
def _scripts(lineage: LineageName) -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # only where there is something to migrate: it takes long to load

    return ScriptDirectory(str(SCRIPTS[lineage]))


def run_revision(
    connection: Connection, lineage: LineageName, revision: str, context_type: "type[MigrationContext] | None" = None
) -> None:
    """One step, and the record of it: in the transaction that is open, else in one of its own."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    scripts = _scripts(lineage)

    def steps(current: Any, _context: object) -> Any:
        # Alembic's documented way to run without a file of settings
        return scripts._upgrade_revs(revision, current)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]

    options = {
        "fn": steps,
        "version_table": VERSION_TABLES[lineage],
        "transactional_ddl": connection.dialect.name != "mysql",
        "transaction_per_migration": True,
    }
    context = (context_type or MigrationContext)(connection.dialect, connection, options)
    with Operations.context(context):
        context.run_migrations()


@contextmanager
def _foreign_keys_asleep(connection: Connection) -> Generator[None]:
    """SQLite copies a table, drops it and renames the copy: what refers to it would be deleted along. It hears this
    between transactions only."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    raw.execute("PRAGMA foreign_keys = OFF").close()
    try:
        yield
    finally:
        connection.rollback()
        raw.execute("PRAGMA foreign_keys = ON").close()


def _inspect(connection: Connection) -> DatabaseState:
    state = inspect_database(connection)
    connection.rollback()
    return state
