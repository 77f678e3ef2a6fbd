"""The tables of a database as they are, whatever its revision: what they are called, what they hold."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tracking_server.database.archive.ahead import ahead
from tracking_server.database.archive.format import Checksum, Column, Kind, NativeSchema, TableContent, encode_rows
from tracking_server.database.archive.mysql_schema import (
    begin_mysql_snapshot,
    mysql_left_out,
    mysql_native_schema,
    mysql_singles,
    mysql_tables,
)
from tracking_server.database.archive.names import StoredTable, quoted
from tracking_server.database.archive.postgresql_schema import (
    postgresql_left_out,
    postgresql_native_schema,
    postgresql_tables,
)
from tracking_server.database.archive.singles import shortest
from tracking_server.database.archive.sqlite_schema import sqlite_native_schema, sqlite_tables
from tracking_server.errors import BackupFailed

_ROWS_AT_ONCE: Final = 1000
"""More are slower: the garbage collector goes through those that are there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSchema:
    tables: Sequence[StoredTable]
    left_out: Sequence[str]
    native: NativeSchema


def read_schema(connection: Connection) -> StoredSchema:
    match connection.dialect.name:
        case "sqlite":
            tables = sqlite_tables(connection)
            return StoredSchema(tables=tables, left_out=(), native=sqlite_native_schema(connection))
        case "postgresql":
            return StoredSchema(
                tables=postgresql_tables(connection),
                left_out=postgresql_left_out(connection),
                native=postgresql_native_schema(connection),
            )
        case "mysql":
            begin_mysql_snapshot(connection)
            return StoredSchema(
                tables=mysql_tables(connection),
                left_out=mysql_left_out(connection),
                native=mysql_native_schema(connection),
            )
        case dialect:
            raise BackupFailed(f"This release does not archive {dialect}: use a tool of the engine.")


def encoded_lines(connection: Connection, table: StoredTable) -> Iterator[Sequence[bytes]]:
    """The rows as lines of an archive, of which a few are in memory."""
    kinds: list[Kind] = [column.kind for column in table.columns]
    singles = mysql_singles(connection, table.name) if connection.dialect.name == "mysql" else frozenset[str]()
    columns = ", ".join(_selected(column, connection.dialect.name, singles) for column in table.columns)
    statement = f"SELECT {columns} FROM {quoted(table.name, connection.dialect.name)}"  # noqa: S608 - of the catalog, quoted
    shortened = [place for place, column in enumerate(table.columns) if column.name in singles]
    for rows in _fetched(connection, statement):
        yield encode_rows(_with_shortest(rows, shortened) if shortened else rows, kinds)


def checksum_of(connection: Connection, table: StoredTable) -> TableContent:
    checksum = Checksum()
    for lines in encoded_lines(connection, table):
        checksum.add(lines)
    return checksum.content(table.name)


def _fetched(connection: Connection, statement: str) -> Iterator[Sequence[Sequence[object]]]:
    """Without SQLAlchemy's own rows, which would take longer than all the rest."""
    driver = cast(Any, connection.dialect).loaded_dbapi
    try:
        with closing(_cursor(connection)) as cursor:
            cursor.execute(statement)
            yield from ahead(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE) or None, None))
    except driver.Error as error:
        raise DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error


def _cursor(connection: Connection) -> Any:
    """One that leaves the rows with the server until they are asked for."""
    raw = cast(Any, connection.connection)
    match connection.dialect.name:
        case "postgresql":
            return raw.cursor(name="trackplane_archive", binary=True)
        case "mysql":
            return raw.cursor(cast(Any, connection.dialect).loaded_dbapi.cursors.SSCursor)
        case _:
            return raw.cursor()


def _selected(column: Column, dialect: str, singles: AbstractSet[str]) -> str:
    """PostgreSQL's driver makes objects of JSON and of dates; an archive holds what is written. MySQL would shorten
    numbers of 32 bits to six digits."""
    name = quoted(column.name, dialect)
    if dialect == "postgresql" and column.kind in {"json", "text"}:
        return f"CAST({name} AS TEXT)"
    return f"CAST({name} AS DOUBLE)" if column.name in singles else name


def _with_shortest(rows: Sequence[Sequence[object]], places: Sequence[int]) -> Sequence[Sequence[object]]:
    changed = [list(row) for row in rows]
    for row in changed:
        for place in places:
            value = row[place]
            row[place] = shortest(value) if isinstance(value, float) else value
    return changed
