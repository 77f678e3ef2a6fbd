"""The SQL of an upgrade. Its steps look at the database before they act, so they are taken on an empty copy of its
tables, and what they send there is noted."""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, cast

from alembic.migration import MigrationContext
from sqlalchemy import (
    Connection,
    Dialect,
    Executable,
    Insert,
    SelectBase,
    TextClause,
    Update,
    column,
    event,
    insert,
    table,
)
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.elements import ClauseElement

from tracking_server.database.check import BUILD, DatabaseState, Step
from tracking_server.database.migrations.empty_copy import empty_copy
from tracking_server.database.migrations.mlflow.examples import EXAMPLES, MARK
from tracking_server.database.migrations.upgrade import WAIT_SECONDS, make_head, run_revision
from tracking_server.database.transactions import Database
from tracking_server.errors import MigrationFailed

Times: TypeAlias = Literal["once", "until nothing is left", "for rows"]
BEGIN: Final[Mapping[str, str]] = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN"}
"""Where a step is a transaction."""
_LOOKS: Final = ("SELECT", "SHOW", "DESCRIBE", "PRAGMA")
_CONCURRENTLY: Final = ("CREATE INDEX CONCURRENTLY", "CREATE UNIQUE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY")


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    text: str
    """Without a semicolon at its end."""
    times: Times = "once"
    """`for rows`: with other values for each row, or for each batch of rows. They are worked out from the rows: the
    text has names in their places."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSql:
    step: Step
    statements: tuple[Statement, ...]

    @property
    def changes_rows(self) -> bool:
        return any(statement.times == "for rows" for statement in self.statements)


def sql_of(
    database: Database, state: DatabaseState, steps: Sequence[Step], *, wait_seconds: float = WAIT_SECONDS
) -> tuple[StepSql, ...]:
    """What an upgrade would send for these steps. Tables of the database are not touched.

    Raises ConfigInvalid where no empty copy can be made, MigrationFailed, and LockBusy on MySQL and MariaDB.
    """
    if not steps:
        return ()
    with empty_copy(database, state.facts, wait_seconds=wait_seconds) as connection:
        recorder = _Recorder(connection)
        return tuple(_sql_of(recorder, connection, step) for step in steps)


def _sql_of(recorder: "_Recorder", connection: Connection, step: Step) -> StepSql:
    try:
        for name, values in EXAMPLES.get(step.revision, ()):
            connection.execute(insert(table(name, *map(column, values))).values(values))
        with recorder.noting() as noted:
            if step is BUILD:
                make_head(connection)
            else:
                run_revision(connection, step.lineage, step.revision, recorder.context_type)
    except DBAPIError as error:
        raise MigrationFailed(
            f"The step {step.lineage}:{step.revision} fails on empty copies of the tables: {str(error.orig).strip()}."
            " Nothing was changed."
        ) from error
    return StepSql(step=step, statements=tuple(noted))


class _Recorder:
    """Hears what a connection is told."""

    def __init__(self, connection: Connection) -> None:
        self._dialect: Final = for_print(connection.dialect)
        self._noted: list[Statement] | None = None
        event.listen(connection, "before_execute", self._note)
        event.listen(connection, "before_cursor_execute", _not_concurrently, retval=True)
        recorder = self

        class InOneTransaction(MigrationContext):
            """What a step does outside of its transaction is noted so, and done inside."""

            @contextmanager
            def autocommit_block(self) -> Generator[None]:
                recorder.end_transaction()
                yield
                recorder.begin_transaction()

        self.context_type: Final = InOneTransaction

    @contextmanager
    def noting(self) -> Generator[list[Statement]]:
        """What is told within the block, and in which transactions."""
        self._noted = noted = list[Statement]()
        self.begin_transaction()
        try:
            yield noted
            self.end_transaction()
        finally:
            self._noted = None

    def begin_transaction(self) -> None:
        if begin := BEGIN.get(self._dialect.name):
            self._add(Statement(text=begin))

    def end_transaction(self) -> None:
        """One with nothing in it is none."""
        if begin := BEGIN.get(self._dialect.name):
            if self._noted and self._noted[-1].text == begin:
                self._noted.pop()
            else:
                self._add(Statement(text="COMMIT"))

    def _note(
        self,
        _connection: Connection,
        element: Executable,
        several: Sequence[Mapping[str, Any]],
        single: Mapping[str, Any],
        _options: object,
    ) -> None:
        if self._noted is not None and not _only_looks(element):
            self._add(rendered(cast(Any, element), [*several, *([single] if single else [])], self._dialect))

    def _add(self, statement: Statement) -> None:
        """The same once more in one transaction is a batch: it is sent until it finds nothing."""
        if self._noted is None:
            return
        if self._noted and self._noted[-1].text == statement.text:
            statement = replace(statement, times="until nothing is left")
            self._noted.pop()
        self._noted.append(statement)


def _not_concurrently(
    _connection: Connection, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool
) -> tuple[str, Any]:
    """Which no transaction can do."""
    if statement.lstrip().startswith(_CONCURRENTLY):
        statement = statement.replace(" CONCURRENTLY", "", 1)
    return statement, parameters


def _only_looks(element: Executable) -> bool:
    return isinstance(element, SelectBase) or (
        isinstance(element, TextClause) and element.text.lstrip().upper().startswith(_LOOKS)
    )


def for_print(dialect: Dialect) -> Dialect:
    """The same, but for the marks of its driver."""
    changed: Any = copy(dialect)
    changed.paramstyle, changed.positional, changed.bind_typing = "named", False, BindTyping.NONE
    changed.identifier_preparer = changed.preparer(changed)
    changed.__dict__.pop("_bind_typing_render_casts", None)  # it remembers what it was
    return cast(Dialect, changed)


def rendered(element: ClauseElement, rows: Sequence[Mapping[str, Any]], dialect: Dialect) -> Statement:
    """With its values written out; with their names where they are those of an example. Pure."""
    if isinstance(element, ExecutableDDLElement):
        return Statement(text=_tidy(str(element.compile(dialect=dialect))))
    if isinstance(element, Insert):
        element = element.inline()  # the default values of a new row are not asked for
    named = element.compile(dialect=dialect, column_keys=list(rows[0]) if rows else None)
    if any(_is_of_example(values.values()) for values in (*rows, named.params or {})):
        return Statement(text=_tidy(str(named)), times="for rows")
    if rows and isinstance(element, Insert | Update):
        element = element.values(dict(rows[0]))
    return Statement(text=_tidy(str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))))


def _is_of_example(values: Iterable[object]) -> bool:
    return any(isinstance(value, str) and value.startswith(MARK) for value in values)


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().expandtabs(4).splitlines()).rstrip(";")


def script(dialect: str, plan: Sequence[StepSql], notes: Sequence[str] = ()) -> Iterator[str]:
    """Lines that the engine's own client reads. Pure. `notes` go to its head."""
    for note in notes:
        yield f"-- {note}"
    if dialect == "sqlite":
        yield from ("", "PRAGMA foreign_keys = OFF;")
    for each in plan:
        yield from ("", f"-- {each.step.lineage} {each.step.revision}: {each.step.title}")
        if each.changes_rows:
            yield "-- It works through rows: what begins with two dashes is sent for each of them, or for each batch,"
            yield "-- and what begins with a colon stands for a value that is worked out from it."
        for statement in each.statements:
            yield from _lines(dialect, statement)
    if dialect == "sqlite":
        yield from ("", "PRAGMA foreign_keys = ON;")


def _lines(dialect: str, statement: Statement) -> Iterator[str]:
    match statement.times:
        case "for rows":
            for line in f"{statement.text};".splitlines():
                yield f"-- {line}"
            return
        case "until nothing is left":
            yield "-- again and again, until it changes no row:"
        case "once":
            pass
    if dialect == "mysql" and ";" in statement.text:  # the body of a trigger
        yield from ("DELIMITER //", f"{statement.text}//", "DELIMITER ;")
    else:
        yield f"{statement.text};"
