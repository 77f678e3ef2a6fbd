"""Restores into MySQL and MariaDB: a database beside the old one, verified, then swapped by one RENAME TABLE.

Their DDL commits by itself, and names of constraints belong to a database: hence beside, and not under other names. One
RENAME TABLE happens as a whole, also when the server dies in it. Privileges are those of a name, and so stay.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, cast

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.exc import DBAPIError

from tracking_server.database.archive.contents import ArchivedTable, ArchiveSource
from tracking_server.database.archive.format import Row
from tracking_server.database.archive.loading import execute_as_written, load
from tracking_server.database.archive.mysql_beside import database_beside
from tracking_server.database.archive.mysql_schema import TRIGGER, is_trigger, mysql_tables, mysql_triggers
from tracking_server.database.archive.names import quoted
from tracking_server.database.archive.target import refuse_orphans, refuse_used, verify_restored
from tracking_server.database.lock import MigrationLock
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed

NEW: Final = "_trackplane_new"
OLD: Final = "_trackplane_old"
"""What the databases beside the one that is restored have at the end of their names."""

_ROWS_AT_ONCE: Final = 500
_BYTES_AT_ONCE: Final = 4 << 20
_LOADING: Final = "SET SESSION foreign_key_checks = 0, unique_checks = 0, net_read_timeout = 86400"
_beside: Final = partial(database_beside, why="A restore loads into a database beside this one", failure=RestoreFailed)
_TIED: Final = text("""
    SELECT CONCAT('the table ', table_name) FROM information_schema.key_column_usage
    WHERE referenced_table_schema = DATABASE() AND referenced_table_name IN :tables
        AND (table_schema <> DATABASE() OR table_name NOT IN :tables)
    UNION SELECT CONCAT('the trigger ', trigger_name) FROM information_schema.triggers
    WHERE event_object_schema = DATABASE() AND event_object_table IN :tables AND trigger_name <> :known
    ORDER BY 1
""").bindparams(bindparam("tables", expanding=True))
_REFERENCES: Final = text("""
    SELECT constraint_name, table_name AS child, column_name AS child_column, referenced_table_name AS parent,
        referenced_column_name AS parent_column
    FROM information_schema.key_column_usage
    WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL
    ORDER BY constraint_name, table_name, ordinal_position
""")


def restore_mysql(
    source: ArchiveSource, database: Database, lock: MigrationLock, *, replace: bool, checks_references: bool
) -> None:
    """`checks_references`: the rows are of an engine that may not have looked.

    The lock is held, its connection is in no transaction. Raises RestoreFailed, ArchiveDamaged, OSError."""
    driver_error: type[Exception] = cast(Any, lock.connection.dialect).loaded_dbapi.Error
    try:
        _restore(source, database, lock, replace=replace, checks_references=checks_references)
    except (DBAPIError, driver_error) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise RestoreFailed(f"MySQL does not take the archive: {reason}. The database is as it was.") from error


def _restore(
    source: ArchiveSource, database: Database, lock: MigrationLock, *, replace: bool, checks_references: bool
) -> None:
    connection = lock.connection
    old = mysql_tables(connection)
    if not replace:
        refuse_used(connection, old)
    names = [table.name for table in old]
    _refuse_tied(connection, names)
    current = str(connection.exec_driver_sql("SELECT DATABASE()").scalar())
    connection.rollback()
    with _beside(connection, f"{current}{NEW}") as new, _beside(connection, f"{current}{OLD}") as aside:
        with _session_in(database, new) as loading:
            loaded = load(source, partial(execute_as_written, loading), partial(_insert, loading), is_trigger)
            loading.commit()
            made = [table.name for table in mysql_tables(loading)]
            verify_restored(loading, loaded)
            if checks_references:
                refuse_orphans(loading, [tuple(row) for row in loading.execute(_REFERENCES)])
        lock.check()
        renamed = [(current, aside, name) for name in names]
        renamed += [(new, current, name) for name in made]
        _swap(connection, f"RENAME TABLE {', '.join(_renaming(*each) for each in renamed)}")
        _make_triggers(connection, [each for each in source.manifest.native_schema.after_rows if is_trigger(each)])


def _swap(connection: Connection, renaming: str) -> None:
    """A table with a trigger does not move."""
    triggers = mysql_triggers(connection)
    connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
    if triggers:
        execute_as_written(connection, f"DROP TRIGGER {quoted(TRIGGER, 'mysql')}")
    try:
        execute_as_written(connection, renaming)
    except BaseException:
        for statement in triggers:
            execute_as_written(connection, statement)
        raise


def _make_triggers(connection: Connection, statements: Sequence[str]) -> None:
    for statement in statements:
        try:
            execute_as_written(connection, statement)
        except DBAPIError as error:
            raise RestoreFailed(
                f"The archive is restored with all of its rows, but a trigger cannot be made: {error.orig}."
                f" Make it with another account: {statement}"
            ) from error


def _refuse_tied(connection: Connection, tables: Sequence[str]) -> None:
    if tables and (tied := connection.execute(_TIED, {"tables": tuple(tables), "known": TRIGGER}).scalars().all()):
        raise RestoreFailed(
            f"Something of somebody else hangs on tables that would be replaced: {', '.join(tied)}. Drop it, and"
            " make it again afterwards. The database is as it was."
        )


@contextmanager
def _session_in(database: Database, name: str) -> Generator[Connection]:
    """The session of the lock stays where it is: the lock has the name of its database."""
    with database.engine.connect() as connection:
        try:
            connection.exec_driver_sql(f"USE {quoted(name, 'mysql')}")
            connection.exec_driver_sql(_LOADING)
            yield connection
        finally:
            connection.invalidate()


def _insert(connection: Connection, table: ArchivedTable) -> None:
    """Each batch is a transaction: one that held all rows would fill the log of the server."""
    columns = ", ".join(quoted(column.name, "mysql") for column in table.columns)
    places = ", ".join(["%s"] * len(table.columns))
    insertion = f"INSERT INTO {quoted(table.name, 'mysql')} ({columns}) VALUES ({places})"  # noqa: S608 - quoted
    raw = cast(Any, connection.connection.dbapi_connection)
    with raw.cursor() as cursor:
        for rows in batched_by_size(table.rows):
            cursor.executemany(insertion, rows)
            raw.commit()


def batched_by_size(rows: Iterable[Row]) -> Generator[Sequence[Row]]:
    """So many at once, fewer when they are long."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(batch) >= _ROWS_AT_ONCE or size >= _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _renaming(source: str, target: str, table: str) -> str:
    name = quoted(table, "mysql")
    return f"{quoted(source, 'mysql')}.{name} TO {quoted(target, 'mysql')}.{name}"
