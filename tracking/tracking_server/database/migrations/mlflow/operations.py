"""What the revisions of MLflow's lineage are written with: each operation first looks whether it is done already.

MySQL and MariaDB keep every change of a table at once, so a step that was killed begins again in the middle; and what
kills MLflow's own upgrade leaves a step half done on SQLite too. On SQLite and PostgreSQL a step of ours is one
transaction.
"""

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal, TypeAlias, cast

from alembic import op
from alembic.operations import BatchOperations
from sqlalchemy import Column, ColumnElement, Row, Select, TextClause, and_, func, inspect, select, text, tuple_
from sqlalchemy.engine import Inspector
from sqlalchemy.schema import Constraint, SchemaItem
from sqlalchemy.types import TypeEngine

from tracking_server.progress import Progress

logger: Final = logging.getLogger(__name__)

ConstraintKind: TypeAlias = Literal["check", "foreignkey", "primary", "unique"]
IndexColumns: TypeAlias = Sequence[str | ColumnElement[Any] | TextClause]
ServerDefault: TypeAlias = str | ColumnElement[Any] | None

NAMES: Final = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""How a constraint without a name is called where SQLite copies its table, so that it can be dropped."""
LEFTOVER: Final = "_alembic_tmp_"
"""Begins the name of a copy that SQLite makes of a table."""
BATCH: Final = 1000


def dialect() -> str:
    return op.get_context().dialect.name


def now() -> Inspector:
    """What the database has at this moment: an inspector remembers what it saw, so each look takes a new one."""
    return inspect(op.get_bind())


def has_table(name: str) -> bool:
    return now().has_table(name)


def has_column(table: str, column: str) -> bool:
    return column in {str(each["name"]) for each in now().get_columns(table)}


def has_index(table: str, name: str) -> bool:
    return name in {each["name"] for each in now().get_indexes(table)}


def has_constraint(table: str, name: str, kind: ConstraintKind) -> bool:
    found = now()
    match kind:
        case "check":
            return name in {each["name"] for each in found.get_check_constraints(table)}
        case "foreignkey":
            return name in {each["name"] for each in found.get_foreign_keys(table)}
        case "unique":
            return name in {each["name"] for each in found.get_unique_constraints(table)}
        case "primary":
            return bool(found.get_pk_constraint(table)["constrained_columns"])


def checks_on(table: str, word: str) -> int:
    """How many conditions of the table name this, a column or a value. Some have no name to know them by."""
    return sum(word in str(each["sqltext"]) for each in now().get_check_constraints(table))


def create_table(name: str, *items: SchemaItem) -> None:
    """Its indexes are made by `create_index`: a kill can come between."""
    if not has_table(name):
        op.create_table(name, *items)


def add_column(table: str, column: Column[Any]) -> None:
    if not has_column(table, column.name):
        op.add_column(table, column)


def drop_column(table: str, column: str) -> None:
    """Not where a constraint or an index of SQLite names the column: that takes `rebuild`."""
    if has_column(table, column):
        op.drop_column(table, column)


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | ColumnElement[Any] | TextClause],
    *,
    unique: bool = False,
    **options: Any,
) -> None:
    """`options` are Alembic's, such as `mysql_length` or `postgresql_where`."""
    if not has_index(table, name):
        op.create_index(name, table, cast(list[str | ColumnElement[Any]], list(columns)), unique=unique, **options)


def drop_index(name: str, table: str) -> None:
    if has_index(table, name):
        op.drop_index(name, table)


def drop_constraint(name: str, table: str, kind: ConstraintKind) -> None:
    """Not on SQLite, which must copy the table: `rebuild`."""
    if has_constraint(table, name, kind):
        op.drop_constraint(name, table, type_=kind)


def alter_type(
    table: str,
    column: str,
    kind: TypeEngine[Any],
    *,
    nullable: bool,
    server_default: ServerDefault = None,
) -> None:
    """`nullable` and `server_default` are what the column has, and keeps: MySQL is told a column as a whole."""
    with rebuild(table, names={}) as rebuilt:
        rebuilt.alter_column(column, type_=kind, existing_nullable=nullable, existing_server_default=server_default)


class Rebuild:
    """Changes to a table that SQLite makes by copying it, once for all of them, and the other engines one by one."""

    def __init__(self, table: str, batch: BatchOperations | None) -> None:
        self._table: Final = table
        self._batch: Final = batch

    def add_column(self, column: Column[Any]) -> None:
        if self._batch is None:
            add_column(self._table, column)
        elif not has_column(self._table, column.name):
            self._batch.add_column(column)

    def drop_column(self, column: str) -> None:
        if self._batch is None:
            drop_column(self._table, column)
        elif has_column(self._table, column):
            self._batch.drop_column(column)

    def alter_column(self, column: str, **changes: Any) -> None:
        """`changes` are Alembic's: `nullable`, `type_`, `server_default`, `new_column_name` and `existing_...`."""
        if "new_column_name" in changes and not has_column(self._table, column):
            return
        if self._batch is None:
            op.alter_column(self._table, column, **changes)
        else:
            self._batch.alter_column(column, **changes)

    def create_check(self, name: str | None, condition: str) -> None:
        """Without a name, the engine gives one, and the caller looks whether it is there."""
        if self._batch is not None:
            self._batch.create_check_constraint(cast(str, name), text(condition))  # Alembic takes None too
        elif name is None or not has_constraint(self._table, name, "check"):
            op.create_check_constraint(name, self._table, text(condition))

    def create_unique(self, name: str, columns: Sequence[str]) -> None:
        if self._batch is not None:
            self._batch.create_unique_constraint(name, list(columns))
        elif not has_constraint(self._table, name, "unique"):
            op.create_unique_constraint(name, self._table, list(columns))

    def create_foreign_key(
        self,
        name: str,
        columns: Sequence[str],
        referred: str,
        referred_columns: Sequence[str],
        *,
        ondelete: str | None = None,
        onupdate: str | None = None,
    ) -> None:
        ours, theirs = list(columns), list(referred_columns)
        if self._batch is not None:
            self._batch.create_foreign_key(name, referred, ours, theirs, ondelete=ondelete, onupdate=onupdate)
        elif not has_constraint(self._table, name, "foreignkey"):
            op.create_foreign_key(name, self._table, referred, ours, theirs, ondelete=ondelete, onupdate=onupdate)

    def replace_foreign_key(
        self,
        old: str,
        name: str,
        columns: Sequence[str],
        referred: str,
        referred_columns: Sequence[str],
        *,
        ondelete: str | None = None,
        onupdate: str | None = None,
    ) -> None:
        """`old` and `name` may be equal."""
        if self._batch is not None or not self._acts(name, ondelete, onupdate):
            self.drop_constraint(old, "foreignkey")
        self.create_foreign_key(name, columns, referred, referred_columns, ondelete=ondelete, onupdate=onupdate)

    def _acts(self, name: str, ondelete: str | None, onupdate: str | None) -> bool:
        wanted = ((ondelete or "").upper(), (onupdate or "").upper())
        return any(
            ((str(options.get("ondelete") or "")).upper(), str(options.get("onupdate") or "").upper()) == wanted
            for key in now().get_foreign_keys(self._table)
            if key["name"] == name
            for options in (key.get("options", {}),)
        )

    def replace_primary_key(self, name: str, columns: Sequence[str], *, old: str | None = None) -> None:
        """`old`: its present name on PostgreSQL, where it is another one."""
        if now().get_pk_constraint(self._table)["constrained_columns"] == list(columns) and self._batch is None:
            return
        if self._batch is not None:
            self._batch.drop_constraint(old or name, type_="primary")
            self._batch.create_primary_key(name, list(columns))
        elif dialect() == "mysql":  # in one statement: a table without a key is no state to be killed in
            quoted = ", ".join(f"`{column}`" for column in columns)
            op.execute(f"ALTER TABLE `{self._table}` DROP PRIMARY KEY, ADD PRIMARY KEY ({quoted})")
        else:
            op.drop_constraint(old or name, self._table, type_="primary")
            op.create_primary_key(name, self._table, list(columns))

    def drop_constraint(self, name: str, kind: ConstraintKind) -> None:
        if self._batch is not None:
            if kind != "check" or has_constraint(self._table, name, kind):
                self._batch.drop_constraint(name, type_=kind)
        else:
            drop_constraint(name, self._table, kind)


@contextmanager
def rebuild(
    table: str,
    *,
    constraints: Sequence[Constraint] = (),
    columns: Sequence[Column[Any]] = (),
    names: dict[str, str] | None = None,
) -> Generator[Rebuild]:
    """For SQLite: `constraints` that it cannot tell (a CHECK without a name), `columns` as they are to be seen (a
    generated one, say), `names` instead of `NAMES` for what has no name, which it keeps when `names` is empty."""
    if dialect() != "sqlite":
        yield Rebuild(table, None)
        return
    clear_leftover(table)
    with op.batch_alter_table(
        table,
        recreate="always",
        table_args=tuple(constraints),
        reflect_args=tuple(columns),
        naming_convention=NAMES if names is None else names,
    ) as batch:
        yield Rebuild(table, batch)


def clear_leftover(table: str) -> None:
    """What a killed upgrade of MLflow on SQLite left of a copy; the table itself goes only as the copy is kept."""
    if has_table(table) and has_table(f"{LEFTOVER}{table}"):
        op.drop_table(f"{LEFTOVER}{table}")


def progress(what: str, total: int) -> Progress:
    """Tells the log how far the work on the rows of a large table is."""
    return Progress(logger.info, total, what)


def in_batches(
    what: str, query: Select[*tuple[Any, ...]], key: Sequence[ColumnElement[Any]], *, size: int = BATCH
) -> Iterator[Sequence[Row[Any]]]:
    """The rows of `query` in the order of `key`, which is unique and among its first columns in this order.

    What is done with a batch is kept before the next on MySQL and MariaDB, and may be done twice after a kill.
    """
    connection = op.get_bind()
    counted = progress(what, connection.scalar(select(func.count()).select_from(query.subquery())) or 0)
    ordered = query.order_by(*key).limit(size)
    rows: Sequence[Row[Any]] = connection.execute(ordered).all()
    while rows:
        yield rows
        counted.advance(len(rows))
        keep_batch()
        last: tuple[Any, ...] = tuple(rows[-1][: len(key)])
        # MariaDB finds the place in an index by the first column alone, and would read from the start for a row value
        after = key[0] > last[0] if len(key) == 1 else and_(key[0] >= last[0], tuple_(*key) > tuple_(*last))
        rows = connection.execute(ordered.where(after)).all() if len(rows) == size else ()
    counted.end(always=True)


def keep_batch() -> None:
    """Where the step is no transaction anyhow, none may grow as large as the table."""
    if dialect() == "mysql":
        op.get_bind().exec_driver_sql("COMMIT")
