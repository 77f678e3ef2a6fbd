"""Restores into SQLite: a new file beside the old one, verified, then renamed over it.

A file of SQLite may have companions (`-wal`, `-journal`) that must never meet another file of its name. So the old
database is folded into its one file, and kept from everybody, before the new one takes its name.
"""

import os
import shutil
import sqlite3
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, OperationalError

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource
from tracking_server.database.archive.files import sync_folder
from tracking_server.database.archive.format import Row
from tracking_server.database.archive.json_numbers import bound_in_sqlite
from tracking_server.database.archive.loading import load
from tracking_server.database.archive.names import quoted
from tracking_server.database.archive.sqlite_schema import sqlite_tables
from tracking_server.database.archive.target import refuse_orphans, refuse_used, verify_restored
from tracking_server.database.sessions import USE
from tracking_server.database.transactions import Database, open_database
from tracking_server.errors import RestoreFailed

_UNFINISHED: Final = ".trackplane-restoring-"
_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_REFERENCES: Final = """
    SELECT made.name || ' ' || key.id, made.name, key."from", key."table", key."to"
    FROM sqlite_master made, pragma_foreign_key_list(made.name) key
    WHERE made.type = 'table' ORDER BY 1, key.seq
"""


def restore_sqlite(
    source: ArchiveSource, database: Database, path: Path, *, replace: bool, checks_references: bool
) -> None:
    """`checks_references`: the rows are of an engine whose foreign keys take 'Run' for 'run'.

    The caller holds the migration lock. Raises RestoreFailed, ArchiveDamaged, OSError."""
    with _opened(database, path, replace=replace) as old:
        if old is not None and not replace:
            refuse_used(old, sqlite_tables(old))
    for leftover in path.parent.glob(f"{_UNFINISHED}*"):  # of a restore that was killed; the lock keeps others out
        leftover.unlink()
    beside = path.with_name(f"{_UNFINISHED}{uuid.uuid4().hex}")
    try:
        _build(source, beside, checks_references=checks_references)
        with _opened(database, path, replace=replace) as old:
            _make_way(old, path, beside, replace=replace)
            beside.rename(path)
            sync_folder(path.parent)
    finally:
        for suffix in ("", *_COMPANIONS):
            Path(f"{beside}{suffix}").unlink(missing_ok=True)


# The new file


def _build(source: ArchiveSource, beside: Path, *, checks_references: bool) -> None:
    new = open_database(f"sqlite:///{beside}")
    try:
        with new.engine.connect() as connection:
            raw = _raw(connection)
            for pragma in ("journal_mode = OFF", "synchronous = OFF", "foreign_keys = OFF"):
                raw.execute(f"PRAGMA {pragma}").close()
            raw.execute("BEGIN").close()
            loaded = load(source, lambda statement: raw.execute(statement).close(), partial(_insert, raw))
            raw.execute("COMMIT").close()
            verify_restored(connection, loaded)
            if checks_references:
                refuse_orphans(connection, [tuple(row) for row in connection.exec_driver_sql(_REFERENCES)])
    except sqlite3.Error as error:
        raise RestoreFailed(f"SQLite does not take the archive: {error}. The database is as it was.") from error
    finally:
        new.dispose()
    with beside.open("rb") as file:
        os.fsync(file.fileno())


def _insert(raw: sqlite3.Connection, table: ArchivedTable) -> None:
    columns = ", ".join(quoted(column.name) for column in table.columns)
    places = ", ".join("?" * len(table.columns))
    insertion = f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({places})"  # noqa: S608 - quoted
    json_places = [place for place, column in enumerate(table.columns) if column.kind == "json"]
    raw.executemany(insertion, _with_numbers(table.rows, json_places) if json_places else table.rows).close()


def _with_numbers(rows: Iterable[Row], places: Sequence[int]) -> Iterator[Row]:
    for row in rows:
        bound = list(row)
        for place in places:
            value = row[place]
            bound[place] = bound_in_sqlite(value) if isinstance(value, str) else value
        yield bound


# The old file


@contextmanager
def _opened(database: Database, path: Path, *, replace: bool) -> Generator[Connection | None]:
    """None when nothing could be lost: there is no file, an empty one, or one to replace that SQLite cannot read."""
    if not path.exists() or path.stat().st_size == 0:
        yield None
        return
    try:
        connection = database.engine.connect()
    except OperationalError as error:
        raise RestoreFailed(f"The database {path} cannot be opened: {error.orig}.") from error
    except DatabaseError as error:
        if not replace:
            raise RestoreFailed(
                f"{path} is there and cannot be read: {error.orig}. To replace it, add --replace."
            ) from error
        yield None
        return
    try:
        with connection:
            yield connection
    finally:
        database.dispose()


def _make_way(old: Connection | None, path: Path, beside: Path, *, replace: bool) -> None:
    """From here until the connection closes, nobody else writes to the old file, and it has no companions."""
    if path.exists():
        shutil.copymode(path, beside)
    if old is None:
        for suffix in _COMPANIONS:
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        return
    try:
        (journal_mode,) = _raw(old).execute("PRAGMA journal_mode = DELETE").fetchone()
        old.execution_options(**{USE: "write"})
        old.begin()
    except (sqlite3.OperationalError, OperationalError) as error:
        raise RestoreFailed(f"The database {path} is in use. Stop what uses it, and restore then.") from error
    if journal_mode != "delete":
        raise RestoreFailed(f"The database {path} is in use. Stop what uses it, and restore then.")
    if not replace:
        refuse_used(old, sqlite_tables(old))


def _raw(connection: Connection) -> sqlite3.Connection:
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)
