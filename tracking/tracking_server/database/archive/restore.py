"""Brings an archive back. What was there before stays whole until the archive is loaded and verified beside it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tracking_server.database.archive.files import ArchiveReader
from tracking_server.database.archive.format import ArchiveDamaged, Manifest
from tracking_server.database.archive.mysql_restore import restore_mysql
from tracking_server.database.archive.postgresql_restore import restore_postgresql
from tracking_server.database.archive.sqlite_restore import restore_sqlite
from tracking_server.database.lock import file_lock, migration_lock, who_serves
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed

WAIT_SECONDS: Final = 60.0


def restore(database: Database, path: Path, *, replace: bool, wait_seconds: float = WAIT_SECONDS) -> Manifest:
    """Raises RestoreFailed, and LockBusy when another has the migration lock for longer than that.

    A used database is replaced only when `replace` says so. A kill at any moment leaves the old one whole, or the new.
    """
    with _told(path), path.open("rb") as file:
        reader = ArchiveReader(file)
        if reader.manifest.dialect != database.dialect:
            raise RestoreFailed(
                f"{path} is an archive of {reader.manifest.dialect}, and the database is {database.dialect}: this"
                " release restores an archive into the engine that it was taken from."
            )
        match database.dialect:
            case "sqlite" if (target := database.url.path) is not None:
                with file_lock(target, wait_seconds=wait_seconds):
                    _refuse_while_served(database)
                    restore_sqlite(reader, database, target, replace=replace)
            case "postgresql":
                with migration_lock(database, wait_seconds=wait_seconds) as lock:
                    _refuse_while_served(database)
                    restore_postgresql(reader, lock.connection, replace=replace)
            case "mysql":
                with migration_lock(database, wait_seconds=wait_seconds) as lock:
                    _refuse_while_served(database)
                    restore_mysql(reader, database, lock, reader.manifest.native_schema, replace=replace)
            case dialect:
                raise RestoreFailed(f"This release does not restore into {dialect} at {database.url.masked}.")
        return reader.manifest


def _refuse_while_served(database: Database) -> None:
    if servers := who_serves(database):
        raise RestoreFailed(f"The database is served by {', '.join(servers)}. Stop them, and restore then.")


@contextmanager
def _told(path: Path) -> Generator[None]:
    try:
        yield
    except ArchiveDamaged as error:
        raise RestoreFailed(f"{path} is not a whole archive. {error.message} The database is as it was.") from error
    except OSError as error:
        raise RestoreFailed(
            f"{error.filename or path}: {error.strerror or error}. The database is as it was."
        ) from error
