"""Many rows into one table with one statement, on each engine in its fastest way.

PostgreSQL takes one array a column; the others take a list of rows (`executemany`, which PyMySQL turns into one
statement of many rows). A row whose key exists is left alone, replaced, or replaced only by a newer one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    Executable,
    String,
    Table,
    Text,
    TextClause,
    bindparam,
    column,
    func,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.sql.dml import Insert
from sqlalchemy.types import TypeDecorator, TypeEngine

AnyColumn: TypeAlias = Column[Any]
OnConflict = TypeVar("OnConflict", sqlite.Insert, postgresql.Insert)
COUNTS_NEW_ROWS = frozenset({"sqlite", "postgresql"})
"""Where the row count of a bulk insert is the number of rows that were not there before."""


class Prepared(NamedTuple):
    """A statement and its parameters: `connection.execute(*prepared)`."""

    statement: Executable
    parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]]


class BulkInsert:
    """`columns` differ from row to row; those in `same` have one value for all rows of a call.

    `replace`: the columns to overwrite when the key exists; none of them leaves the row alone.
    `newer_by`: overwrite only when these columns, compared as one tuple, are greater than those of the row.
    """

    def __init__(
        self,
        columns: Sequence[AnyColumn],
        *,
        same: Sequence[AnyColumn] = (),
        replace: Sequence[AnyColumn] = (),
        newer_by: Sequence[AnyColumn] = (),
    ) -> None:
        self._names = tuple(each.name for each in columns)
        every = (*columns, *same)
        self._statements: Mapping[str, Executable] = {
            "sqlite": _sqlite(every, replace, newer_by),
            "postgresql": postgresql_insert(columns, same, replace, newer_by),
            "mysql": _mysql(every, replace, newer_by),
            "mssql": _mssql(every, replace, newer_by),
        }

    def statement(self, dialect: str) -> Executable:
        return self._statements[dialect]

    def prepare(self, dialect: str, rows: Sequence[Sequence[object]], **same: object) -> Prepared:
        """At least one row; sorted by key, so that all writers lock in one order."""
        if dialect == "postgresql":
            return Prepared(self._statements[dialect], {**columnar(self._names, rows), **same})
        return Prepared(self._statements[dialect], [dict(zip(self._names, row, strict=True), **same) for row in rows])


class _Array(TypeDecorator[Any]):
    """An array as the text that PostgreSQL reads: SQLAlchemy and the driver would go through its items one by one."""

    impl = postgresql.ARRAY
    cache_ok = True

    def __init__(self, item_type: TypeEngine[Any]) -> None:
        super().__init__(item_type)
        self.item_type = item_type

    def bind_processor(  # pyright: ignore[reportIncompatibleMethodOverride]  # the name of its type is private
        self,
        dialect: Dialect,  # noqa: ARG002 - as the class above declares it
    ) -> Callable[[Any], str]:
        return array_of_texts if isinstance(self.item_type, String) else array_of_numbers


def array_of_texts(items: Sequence[str | None]) -> str:
    """Not JSON, whose escapes mean other things there."""
    quoted = ("NULL" if item is None else '"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items)
    return f"{{{','.join(quoted)}}}"


def array_of_numbers(items: Sequence[float | None]) -> str:
    """And of truth values."""
    return f"{{{msgspec.json.encode(items)[1:-1].decode()}}}"


def columnar(names: Sequence[str], rows: Sequence[Sequence[object]]) -> dict[str, object]:
    """Rows as one array a column."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))


def _settling_conflicts(insert: OnConflict, replace: Sequence[AnyColumn], newer_by: Sequence[AnyColumn]) -> OnConflict:
    """SQLite and PostgreSQL share the clause ON CONFLICT; SQLAlchemy has it on two types without a common one."""
    if not replace:
        return insert.on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=list(_table(replace).primary_key.columns),
        set_={each.name: new[each.name] for each in replace},
        where=tuple_(*(new[each.name] for each in newer_by)) > tuple_(*newer_by) if newer_by else None,
    )


def _sqlite(columns: Sequence[AnyColumn], replace: Sequence[AnyColumn], newer_by: Sequence[AnyColumn]) -> Insert:
    return _settling_conflicts(sqlite.insert(_table(columns)), replace, newer_by)


def postgresql_insert(
    columns: Sequence[AnyColumn],
    same: Sequence[AnyColumn] = (),
    replace: Sequence[AnyColumn] = (),
    newer_by: Sequence[AnyColumn] = (),
    *,
    prefix: str = "",
    only_if: ColumnElement[bool] | None = None,
) -> postgresql.Insert:
    """`prefix`, before the names of the arrays, keeps two such statements apart that are sent as one.

    `only_if`: a condition for all rows; nothing is written where it does not hold.
    """
    arrays = [bindparam(f"{prefix}{each.name}", type_=_Array(_without_length(each))) for each in columns]
    new_rows = (
        func.unnest(*arrays)
        .table_valued(*(column(each.name, each.type) for each in columns))
        .render_derived(name=f"{prefix}new_row")
    )
    names = [each.name for each in (*columns, *same)]
    constants = [bindparam(each.name, type_=_without_length(each)) for each in same]
    rows = select(*new_rows.c, *constants)
    insert = postgresql.insert(_table(columns)).from_select(names, rows if only_if is None else rows.where(only_if))
    return _settling_conflicts(insert, replace, newer_by)


def _without_length(each: AnyColumn) -> TypeEngine[Any]:
    """A cast to VARCHAR(n) would cut a longer text off in silence; the column itself refuses it."""
    return Text() if isinstance(each.type, String) else each.type


def _table(columns: Sequence[AnyColumn]) -> Table:
    return columns[0].table


def _mysql(columns: Sequence[AnyColumn], replace: Sequence[AnyColumn], newer_by: Sequence[AnyColumn]) -> Insert:
    insert = mysql.insert(_table(columns)).values(
        {each.name: bindparam(each.name, type_=each.type) for each in columns}
    )
    if not replace:
        first = columns[0]
        return insert.on_duplicate_key_update([(first.name, first)])
    new = insert.inserted
    if not newer_by:
        return insert.on_duplicate_key_update([(each.name, new[each.name]) for each in replace])
    is_newer = tuple_(*(new[each.name] for each in newer_by)) > tuple_(*newer_by)
    # MySQL assigns from left to right and later expressions see what was assigned: what is compared goes last, the
    # most significant column at the very end, so that `is_newer` keeps its outcome for every assignment.
    ordered = [each for each in replace if each not in newer_by] + list(reversed(newer_by))
    return insert.on_duplicate_key_update([(each.name, func.if_(is_newer, new[each.name], each)) for each in ordered])


def _mssql(columns: Sequence[AnyColumn], replace: Sequence[AnyColumn], newer_by: Sequence[AnyColumn]) -> TextClause:
    """MERGE, which SQLAlchemy has no construct for. HOLDLOCK: without it two merges can both find no row."""
    table = _table(columns)
    names = [f"[{each.name}]" for each in columns]
    same_key = " AND ".join(f"old.[{each.name}] = new.[{each.name}]" for each in table.primary_key.columns)
    matched = ""
    if replace:
        condition = f" AND ({_mssql_newer(newer_by)})" if newer_by else ""
        assignments = ", ".join(f"[{each.name}] = new.[{each.name}]" for each in replace)
        matched = f" WHEN MATCHED{condition} THEN UPDATE SET {assignments}"
    merge = (
        f"MERGE INTO [{table.name}] WITH (HOLDLOCK) AS old"  # noqa: S608 (names of our own schema, no values)
        f" USING (VALUES ({', '.join(f':{each.name}' for each in columns)})) AS new ({', '.join(names)})"
        f" ON {same_key}{matched}"
        f" WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) VALUES ({', '.join(f'new.{name}' for name in names)});"
    )
    return text(merge).bindparams(*(bindparam(each.name, type_=each.type) for each in columns))


def _mssql_newer(newer_by: Sequence[AnyColumn]) -> str:
    """A comparison of tuples, which MSSQL does not have, spelt out."""
    first, *rest = (f"[{each.name}]" for each in newer_by)
    greater = f"new.{first} > old.{first}"
    if not rest:
        return greater
    return f"{greater} OR (new.{first} = old.{first} AND ({_mssql_newer(newer_by[1:])}))"
