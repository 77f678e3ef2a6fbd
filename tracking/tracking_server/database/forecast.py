"""How much work an upgrade is: the tables that its steps copy, how large these are, and how long that may take."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, inspect, text

from tracking_server.database.check import Step

ROWS_PER_SECOND: Final[Mapping[str, int]] = {"sqlite": 150_000, "postgresql": 100_000, "mysql": 60_000}
"""What two cores and a local disk copy of a table such as `metrics`, with its indexes."""
_OTHERS: Final = 50_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSize:
    """None where the engine does not tell. `rows` is the engine's own estimate, and not counted."""

    rows: int | None
    size_bytes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Forecast:
    copies: Mapping[str, int]
    """How often each table is copied, or all of its rows changed."""
    sizes: Mapping[str, TableSize]
    seconds: int
    basis: str


def forecast(dialect: str, steps: Iterable[Step], sizes: Mapping[str, TableSize]) -> Forecast:
    """Pure. `sizes`: of the tables that are there; others are made by a step on the way, and are empty."""
    copies = Counter(table for step in steps for table in step.rewrites if table in sizes)
    known = {table: rows for table in copies if (rows := sizes[table].rows) is not None}
    rows = sum(times * known.get(table, 0) for table, times in copies.items())
    rate = ROWS_PER_SECOND.get(dialect, _OTHERS)
    basis = f"about {rows} rows to copy, each as often as its table is copied, at {rate} rows a second"
    if unknown := sorted(copies.keys() - known.keys()):
        basis += f"; without {', '.join(unknown)}, whose rows the engine does not estimate (ANALYZE makes it)"
    return Forecast(
        copies=dict(copies), sizes={table: sizes[table] for table in copies}, seconds=round(rows / rate), basis=basis
    )


def measure(connection: Connection, tables: Iterable[str]) -> Mapping[str, TableSize]:
    """Those of the tables that are there. Nothing is counted: it takes no time on the largest database."""
    present = frozenset(inspect(connection).get_table_names())
    wanted = sorted(set(tables) & present)
    match connection.dialect.name:
        case "postgresql":
            return _from(connection, _POSTGRESQL, wanted)
        case "mysql":
            return _from(connection, _MYSQL, wanted)
        case "sqlite":
            return {table: TableSize(rows=_highest_row(connection, table), size_bytes=None) for table in wanted}
        case _:
            return {table: TableSize(rows=None, size_bytes=None) for table in wanted}


_POSTGRESQL: Final = """
    SELECT relname, NULLIF(reltuples, -1)::bigint, pg_total_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = to_regnamespace(quote_ident(current_schema()))
"""
_MYSQL: Final = """
    SELECT table_name, table_rows, COALESCE(data_length + index_length, 0) FROM information_schema.tables
    WHERE table_schema = DATABASE()
"""


def _from(connection: Connection, statement: str, wanted: Sequence[str]) -> Mapping[str, TableSize]:
    return {
        str(table): TableSize(rows=None if rows is None else int(rows), size_bytes=int(size))
        for table, rows, size in connection.execute(text(statement))
        if table in wanted
    }


def _highest_row(connection: Connection, table: str) -> int:
    """The last row's number, which is there without a search: at least as many as there are rows."""
    return int(connection.scalar(text(f'SELECT max(rowid) FROM "{table}"')) or 0)  # noqa: S608 (a name of ours)
