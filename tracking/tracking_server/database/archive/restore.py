"""Brings an archive back. What was there before stays whole until the archive is loaded and verified beside it."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracking_server.database.archive.contents import ArchiveSource
from tracking_server.database.archive.crossing import Crossing
from tracking_server.database.archive.files import open_archive
from tracking_server.database.archive.format import ArchiveDamaged, Manifest
from tracking_server.database.archive.keys import BackupKey
from tracking_server.database.archive.mysql_restore import restore_mysql
from tracking_server.database.archive.postgresql_restore import restore_postgresql
from tracking_server.database.archive.precheck import refuse_what_does_not_fit
from tracking_server.database.archive.sqlite_restore import restore_sqlite
from tracking_server.database.lock import file_lock, migration_lock, who_serves
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed

WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Restored:
    manifest: Manifest
    left_behind: Sequence[str] = ()
    """Tables of the archive that the schema of this release does not have, on the way to another engine."""
    negative_zeros: int = 0
    """-0.0 that became 0.0 on the way to an engine that does not have it; no client of MLflow can tell them apart."""


def restore(
    database: Database,
    path: Path,
    *,
    replace: bool,
    keys: Sequence[BackupKey] = (),
    wait_seconds: float = WAIT_SECONDS,
) -> Restored:
    """Raises RestoreFailed, ConfigInvalid without the key of the archive, and LockBusy when another has the migration
    lock for longer than that.

    A used database is replaced only when `replace` says so. A kill at any moment leaves the old one whole, or the new.
    """
    with restoring(str(path)), path.open("rb") as file:
        return restore_source(database, open_archive(file, keys), replace=replace, wait_seconds=wait_seconds)


def restore_source(
    database: Database, source: ArchiveSource, *, replace: bool, wait_seconds: float = WAIT_SECONDS
) -> Restored:
    """As `restore`. Raises ArchiveDamaged and OSError too."""
    is_crossing = source.manifest.dialect != database.dialect
    if is_crossing:
        source = Crossing(source, database.engine.dialect)
    match database.dialect:
        case "sqlite" if (target := database.url.path) is not None:
            with file_lock(target, wait_seconds=wait_seconds):
                _refuse_while_served(database)
                if is_crossing:
                    refuse_what_does_not_fit(source, database.engine.dialect, None)
                is_of_mysql = source.manifest.dialect == "mysql"
                restore_sqlite(source, database, target, replace=replace, checks_references=is_of_mysql)
        case "postgresql":
            with migration_lock(database, wait_seconds=wait_seconds) as lock:
                _refuse_while_served(database)
                if is_crossing:
                    refuse_what_does_not_fit(source, database.engine.dialect, None)
                restore_postgresql(source, lock.connection, replace=replace)
        case "mysql":
            with migration_lock(database, wait_seconds=wait_seconds) as lock:
                _refuse_while_served(database)
                if is_crossing:
                    refuse_what_does_not_fit(source, database.engine.dialect, lock.connection)
                restore_mysql(source, database, lock, replace=replace, checks_references=is_crossing)
        case dialect:
            raise RestoreFailed(f"This release does not restore into {dialect} at {database.url.masked}.")
    if not isinstance(source, Crossing):
        return Restored(manifest=source.manifest)
    return Restored(manifest=source.manifest, left_behind=source.left_behind, negative_zeros=source.negative_zeros)


def _refuse_while_served(database: Database) -> None:
    if servers := who_serves(database):
        raise RestoreFailed(f"The database is served by {', '.join(servers)}. Stop them, and restore then.")


@contextmanager
def restoring(name: str) -> Generator[None]:
    """What keeps the archive from being read is told as RestoreFailed."""
    try:
        yield
    except ArchiveDamaged as error:
        raise RestoreFailed(f"{name} is not a whole archive. {error.message} The database is as it was.") from error
    except OSError as error:
        raise RestoreFailed(
            f"{error.filename or name}: {error.strerror or error}. The database is as it was."
        ) from error
