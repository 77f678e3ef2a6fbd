"""Writes a revision into a database whose record of it is wrong or lost, without any step."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert

from tracking_server.database import schema
from tracking_server.database.check import DatabaseState, inspect_database, trackplane_steps
from tracking_server.database.lock import migration_lock
from tracking_server.database.migrations import mlflow
from tracking_server.database.shapes import shape_at, shape_of, why_not
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, SchemaUnsupported


@dataclass(frozen=True, kw_only=True, slots=True)
class Stamped:
    before: DatabaseState
    after: DatabaseState
    why_not: str | None
    """What spoke against it; only where it was forced."""


def stamp(database: Database, revision: str, *, wait_seconds: float, is_forced: bool = False) -> Stamped:
    """Raises ConfigInvalid for a revision that is not known, SchemaUnsupported for a schema that is not that of the
    revision, LockBusy. A wrong record makes later upgrades skip steps, or take them twice: that can lose data."""
    is_ours = revision in {step.revision for step in trackplane_steps()}
    if not is_ours and revision not in mlflow.releases():
        raise ConfigInvalid(f"{revision!r} is no revision that this release knows: `trackplane db history` lists them.")
    at, head = shape_at(revision)
    with migration_lock(database, wait_seconds=wait_seconds) as lock:
        with lock.connection.begin():
            before = inspect_database(lock.connection)
            reason = why_not(shape_of(lock.connection), at, head, is_ours=is_ours)
            if reason is not None and not is_forced:
                raise SchemaUnsupported(
                    f"The database does not have the schema of {revision}: {reason}. Nothing was changed:"
                    " stamp the revision that it has, or restore a backup."
                )
        lock.check()
        with lock.connection.begin():
            _write(lock.connection, revision, is_ours=is_ours)
            after = inspect_database(lock.connection)
        return Stamped(before=before, after=after, why_not=reason)


def _write(connection: Connection, revision: str, *, is_ours: bool) -> None:
    table = schema.alembic_version_trackplane if is_ours else schema.alembic_version
    table.create(connection, checkfirst=True)
    connection.execute(delete(table))
    connection.execute(insert(table).values(version_num=revision))
