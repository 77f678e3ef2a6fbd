"""The tables of a database as they are, whatever its revision: what they are called, what they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from tracking_server.database.archive.format import Checksum, Column, Kind, NativeSchema, TableContent, encode_row
from tracking_server.database.archive.mysql_schema import (
    begin_mysql_snapshot,
    mysql_left_out,
    mysql_native_schema,
    mysql_tables,
)
from tracking_server.database.archive.names import StoredTable, quoted
from tracking_server.database.archive.postgresql_schema import (
    postgresql_left_out,
    postgresql_native_schema,
    postgresql_tables,
)
from tracking_server.database.archive.sqlite_schema import sqlite_native_schema, sqlite_tables
from tracking_server.errors import BackupFailed

_ROWS_AT_ONCE: Final = 1000


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


def encoded_rows(connection: Connection, table: StoredTable) -> Iterator[bytes]:
    """The rows as lines of an archive, of which a few are in memory."""
    kinds: list[Kind] = [column.kind for column in table.columns]
    dialect = connection.dialect.name
    columns = ", ".join(_selected(column, dialect) for column in table.columns)
    result = connection.exec_driver_sql(
        f"SELECT {columns} FROM {quoted(table.name, dialect)}",  # noqa: S608 - names from the catalog, quoted
        execution_options={"stream_results": True, "max_row_buffer": _ROWS_AT_ONCE, "no_parameters": True},
    )
    for rows in result.partitions(_ROWS_AT_ONCE):
        for row in rows:
            yield encode_row(row, kinds)


def checksum_of(connection: Connection, table: StoredTable) -> TableContent:
    checksum = Checksum()
    for line in encoded_rows(connection, table):
        checksum.add(line)
    return checksum.content(table.name)


def _selected(column: Column, dialect: str) -> str:
    """PostgreSQL's driver makes objects of JSON and of dates; an archive holds what is written."""
    name = quoted(column.name, dialect)
    return f"CAST({name} AS TEXT)" if dialect == "postgresql" and column.kind in {"json", "text"} else name
