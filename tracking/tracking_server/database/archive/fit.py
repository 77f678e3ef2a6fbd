"""Whether the rows of an archive fit into the tables of another engine, asked before anything is written.

SQLite holds what others refuse: texts of any length, integers of 64 bits in every column, any type in any column.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
)
from sqlalchemy import Column as SchemaColumn

from tracking_server.database.archive.contents import ArchivedTable
from tracking_server.database.archive.format import Row, Value
from tracking_server.database.archive.json_numbers import as_sqlite_keeps, loses_in_sqlite
from tracking_server.database.archive.singles import as_single, shortest

SHOWN: Final = 20
_SHOWN_CHARACTERS: Final = 60
_MYSQL_BYTES: Final[Mapping[str, int]] = {
    "TEXT": 2**16 - 1,
    "MEDIUMTEXT": 2**24 - 1,
    "LONGTEXT": 2**32 - 1,
    "BLOB": 2**16 - 1,
}
_PACKET_OVERHEAD_BYTES: Final = 64 << 10

_ONE_OF: Final = re.compile(r"(\w+) IN \(('\w+'(?:, '\w+')*)\)")
_DIFFERENCE: Final = re.compile(r"(\w+) - (\w+)")
_DEEPEST_JSON: Final = 32
"""Of MariaDB; more than PostgreSQL and MySQL refuse."""

Check: TypeAlias = Callable[[Value], str | None]
"""The limit that a value breaks, or None. It is asked of NULL too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """What differs between the engines that rows go to."""

    dialect: Dialect
    packet_bytes: int | None = None
    """How long one statement may be."""

    @property
    def name(self) -> str:
        return self.dialect.name


@dataclass(kw_only=True, slots=True)
class Faults:
    """All are counted, and the first ones are kept to be told."""

    count: int = 0
    shown: list[str] = field(default_factory=list[str])

    def add(self, table: str, key: str, column: str, limit: str) -> None:
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(f"{table} [{key}] {column}: {limit}")


def checks_of(table: Table, engine: Engine) -> Mapping[str, Check]:
    """By the names of the columns."""
    choices = _choices(table)
    return {
        column.name: _check(column, choices.get(column.name), engine)
        for column in table.columns
        if column.computed is None
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A column that the engine computes: one place of a row minus another."""

    name: str
    of: int
    minus: int


def differences_of(table: Table, places: Mapping[str, int], engine: Engine) -> Sequence[Difference]:
    """SQLite would go on with a float where others refuse."""
    found = [
        (column.name, _DIFFERENCE.fullmatch(str(column.computed.sqltext)))
        for column in table.columns
        if column.computed is not None and engine.name != "sqlite"
    ]
    return [
        Difference(name=name, of=places[match[1]], minus=places[match[2]])
        for name, match in found
        if match and {match[1], match[2]} <= places.keys()
    ]


def check_row(
    archived: ArchivedTable,
    row: Row,
    checks: Sequence[Check],
    differences: Sequence[Difference],
    keys: Sequence[int],
    faults: Faults,
) -> None:
    for place, (value, check) in enumerate(zip(row, checks, strict=True)):
        if (limit := check(value)) is not None:
            faults.add(archived.name, key_of(archived, row, keys), archived.columns[place].name, limit)
    for each in differences:
        of, minus = row[each.of], row[each.minus]
        if isinstance(of, int) and isinstance(minus, int) and not -(2**63) <= of - minus < 2**63:
            faults.add(archived.name, key_of(archived, row, keys), each.name, f"{of - minus} is no integer of 64 bits")


def key_of(archived: ArchivedTable, row: Row, places: Sequence[int]) -> str:
    return ", ".join(f"{archived.columns[place].name}={shortened(row[place])}" for place in places)


def shortened(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _choices(table: Table) -> Mapping[str, Sequence[str]]:
    """What the CHECKs of the table allow, which MySQL compares as it compares all texts, and others exactly."""
    found = [
        match
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint) and (match := _ONE_OF.fullmatch(str(constraint.sqltext)))
    ]
    return {match[1]: re.findall(r"'(\w+)'", match[2]) for match in found}


def _check(column: "SchemaColumn[Any]", choices: Sequence[str] | None, engine: Engine) -> Check:
    check = _check_of_type(column, engine) if choices is None else _choice(choices)
    if column.nullable:
        return lambda value: None if value is None else check(value)
    return lambda value: "it is NULL, where there must be a value" if value is None else check(value)


def _check_of_type(column: "SchemaColumn[Any]", engine: Engine) -> Check:
    check: Check
    match column.type:
        case Boolean():
            check = _boolean
        case Integer() as kind:
            check = _integer(kind, engine)
        case Float() as kind:
            check = _float(engine, is_single=engine.name == "mysql" and kind.precision is None)
        case LargeBinary():
            check = _binary(_mysql_bytes(column, engine))
        case String() as kind if engine.name != "sqlite":
            check = _text(kind.length, _mysql_bytes(column, engine), engine)
        case JSON():
            check = _json(_text(None, _mysql_bytes(column, engine), engine), engine)
        case Date():
            check = _date
        case _:
            check = _text(None, None, engine)
    return check


def _choice(choices: Sequence[str]) -> Check:
    def check(value: Value) -> str | None:
        return None if value in choices else f"{shortened(value)} is none of {', '.join(choices)}"

    return check


def _boolean(value: Value) -> str | None:
    return None if value in {0, 1} else f"{shortened(value)} is neither true nor false"


def _integer(kind: Integer, engine: Engine) -> Check:
    bits = 64 if isinstance(kind, BigInteger) else 16 if isinstance(kind, SmallInteger) else 32
    if engine.name == "sqlite":
        bits = 64
    lowest, highest = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def check(value: Value) -> str | None:
        if not isinstance(value, int):
            return f"{shortened(value)} is no integer"
        return None if lowest <= value <= highest else f"{value} is no integer of {bits} bits"

    return check


def _float(engine: Engine, *, is_single: bool) -> Check:
    def check(value: Value) -> str | None:
        if not isinstance(value, int | float):
            return f"{shortened(value)} is no number"
        if engine.name == "mysql" and not math.isfinite(value):
            return f"{value} is a number that MySQL and MariaDB do not have"
        if engine.name == "sqlite" and math.isnan(value):
            return "nan would become NULL in SQLite"
        return _of_32_bits(value) if is_single else None

    return check


def _of_32_bits(value: float) -> str | None:
    """What MLflow's FLOAT of no precision is in MySQL and MariaDB."""
    try:
        kept = shortest(as_single(value))
    except OverflowError:
        return f"{value} is too large for a number of 32 bits"
    return None if kept == value else f"{value} would become {kept}, as MySQL and MariaDB keep 32 bits of it"


def _json(text: Check, engine: Engine) -> Check:
    def check(value: Value) -> str | None:
        if (limit := text(value)) is not None:
            return limit
        if engine.name == "sqlite":
            lost = loses_in_sqlite(str(value))
            return f"{shortened(value)} would become {as_sqlite_keeps(str(value))} in SQLite" if lost else None
        try:
            depth = _depth(json.loads(str(value), parse_constant=_refuse_constant))
        except (ValueError, RecursionError):
            return f"{shortened(value)} is no JSON"
        return f"it is JSON of {depth} levels, of at most {_DEEPEST_JSON}" if depth > _DEEPEST_JSON else None

    return check


def _refuse_constant(name: str) -> None:
    """Python writes NaN and Infinity, which no engine takes for JSON."""
    raise ValueError(name)


def _depth(value: object) -> int:
    within: list[object] = []
    if isinstance(value, dict):
        within = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        within = cast("list[object]", value)
    else:
        return 0
    return 1 + max(map(_depth, within), default=0)


def _date(value: Value) -> str | None:
    try:
        is_date = date.fromisoformat(str(value)).isoformat() == value
    except ValueError:
        is_date = False
    return None if is_date else f"{shortened(value)} is no date"


def _text(characters: int | None, limit_bytes: int | None, engine: Engine) -> Check:
    refuses_nul = engine.name == "postgresql"

    def check(value: Value) -> str | None:
        if not isinstance(value, str):
            return f"{shortened(value)} is no text"
        if characters is not None and len(value) > characters:
            return f"it has {len(value)} characters, of at most {characters}"
        if limit_bytes is not None and len(value) * 4 > limit_bytes and len(value.encode()) > limit_bytes:
            return f"it has {len(value.encode())} bytes, of at most {limit_bytes}"
        if refuses_nul and "\0" in value:
            return "it has the character NUL, which PostgreSQL does not store"
        return None

    return check


def _binary(limit_bytes: int | None) -> Check:
    def check(value: Value) -> str | None:
        if not isinstance(value, bytes):
            return f"{shortened(value)} is not binary"
        if limit_bytes is not None and len(value) > limit_bytes:
            return f"it has {len(value)} bytes, of at most {limit_bytes}"
        return None

    return check


def _mysql_bytes(column: "SchemaColumn[Any]", engine: Engine) -> int | None:
    """Of its type, or of the longest statement that the server takes (`max_allowed_packet`)."""
    if engine.name != "mysql":
        return None
    declared = column.type.compile(dialect=engine.dialect)
    limits = [_MYSQL_BYTES.get(declared, 2**32 - 1)]
    if engine.packet_bytes is not None:
        limits.append(engine.packet_bytes - _PACKET_OVERHEAD_BYTES)
    return min(limits)
