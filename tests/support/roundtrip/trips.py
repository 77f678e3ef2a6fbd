"""Generated rows in databases: put there, taken to another engine and back, and compared one by one."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import JSON, Column, Connection, Date, Table, column, insert, table

from tests.support.databases import opened
from tests.support.roundtrip.faults import break_rows, told
from tests.support.roundtrip.generated import TABLES, Rows, generate, is_single
from tracking_server.database.archive.backup import back_up
from tracking_server.database.archive.json_numbers import as_sqlite_keeps
from tracking_server.database.archive.restore import Restored, restore
from tracking_server.database.archive.singles import as_single
from tracking_server.database.archive.tables import read_schema
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed

NOW: Final = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)

Contents = Mapping[str, Sequence[str]]
"""The rows of each table as texts that are the same for the same row on every engine, sorted."""


class Server(Protocol):
    def create_database(self, name: str) -> str: ...


class Places:
    """Makes databases on any engine."""

    def __init__(self, folder: Path, servers: Mapping[str, Server]) -> None:
        self.folder: Final = folder
        self._servers = servers
        self._numbers = count()

    def new(self, engine: str) -> str:
        name = f"roundtrip_{id(self)}_{next(self._numbers)}"
        if engine == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        return self._servers[engine].create_database(name)


def fill(database: Database, rows: Rows) -> None:
    """Values go in as they are, not as a type of SQLAlchemy would write them."""
    create_schema(database)
    with database.write() as connection:
        for name, values in rows.items():
            if values:
                connection.execute(insert(table(name, *map(column, values[0]))), [dict(row) for row in values])


def contents_of(database: Database, *, keeps_negative_zero: bool) -> Contents:
    with database.snapshot() as connection:
        return {each.name: sorted(_rows(connection, each, keeps_negative_zero)) for each in TABLES}


def _rows(connection: Connection, each: Table, keeps_negative_zero: bool) -> Iterator[str]:
    names = ", ".join(_selected(connection, column) for column in each.columns)
    statement = f"SELECT {names} FROM {connection.dialect.identifier_preparer.quote(each.name)}"
    result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    for row in result:
        yield repr(
            [_comparable(value, column, keeps_negative_zero) for value, column in zip(row, each.columns, strict=True)]
        )


def _selected(connection: Connection, each: "Column[Any]") -> str:
    name = connection.dialect.identifier_preparer.quote(each.name)
    dialect = connection.dialect.name
    if dialect == "postgresql" and isinstance(each.type, JSON | Date):
        return f"CAST({name} AS TEXT)"
    return f"CAST({name} AS DOUBLE)" if dialect == "mysql" and is_single(each) else name


def _comparable(value: object, each: "Column[Any]", keeps_negative_zero: bool) -> object:
    if isinstance(each.type, JSON) and value is not None:  # which SQLite keeps as a number when it is one
        return as_sqlite_keeps(value if isinstance(value, str) else repr(value))
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        kept = as_single(value) if is_single(each) else value
        return 0.0 if kept == 0 and not keeps_negative_zero else kept
    return str(value) if isinstance(each.type, Date) and value is not None else value


def carry(source: Database, target: Database, folder: Path) -> Restored:
    archive = back_up(source, folder, now=NOW, tool="roundtrip")
    try:
        return restore(target, archive.path, replace=False)
    finally:
        archive.path.unlink()


def there_and_back(places: Places, first: str, others: Sequence[str], rows: Rows) -> Iterator[str]:
    """From the first engine to each of the others in turn, and to the first again. What is not as it was."""
    trip = [first, *others, first]
    with opened(places.new(first)) as origin:
        fill(origin, rows)
        source_url = origin.url.url.render_as_string(hide_password=False)
        keeps_negative_zero = set(trip) == {"postgresql"}
        expected = contents_of(origin, keeps_negative_zero=keeps_negative_zero)
    for number, engine in enumerate(trip[1:]):
        with opened(source_url) as source, opened(places.new(engine)) as target:
            carry(source, target, places.folder)
            found = contents_of(target, keeps_negative_zero=keeps_negative_zero)
            source_url = target.url.url.render_as_string(hide_password=False)
        yield from (f"{' -> '.join(trip[: number + 2])}: {each}" for each in differences(expected, found))


def differences(expected: Contents, found: Contents) -> Iterator[str]:
    for name, rows in expected.items():
        missing, added = set(rows) - set(found[name]), set(found[name]) - set(rows)
        if rows != found[name]:
            counts = f"{len(rows)} rows became {len(found[name])}"
            yield f"{name}: {counts}; gone {sorted(missing)[:1]}, new {sorted(added)[:1]}"


def refused(places: Places, first: str, other: str, seed: int) -> Iterator[str]:
    """What was not refused as it should be when each row with a value that does not fit goes to another engine."""
    with opened(places.new(first)) as source, opened(places.new(other)) as target:
        fill(source, generate(seed, 3))
        broken = break_rows(source, first, other, random.Random(seed))
        if not broken:
            return
        try:
            carry(source, target, places.folder)
        except RestoreFailed as error:
            yield from told(broken, error.message)
        else:
            yield f"nothing was refused of {broken}"
        with target.snapshot() as connection:
            if read_schema(connection).tables:
                yield "something was written"
