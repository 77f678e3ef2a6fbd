"""Whether the rows of an archive fit into the tables of another engine, asked before anything is written.

SQLite holds what others refuse: texts of any length, integers of 64 bits in every column, any type in any column.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import JSON, BigInteger, Boolean, Dialect, Float, Integer, LargeBinary, SmallInteger, String, Table
from sqlalchemy import Column as SchemaColumn

from tracking_server.database.archive.contents import ArchivedTable
from tracking_server.database.archive.format import Row, Value

SHOWN: Final = 20
_SHOWN_CHARACTERS: Final = 60
_MYSQL_BYTES: Final[Mapping[str, int]] = {
    "TEXT": 2**16 - 1,
    "MEDIUMTEXT": 2**24 - 1,
    "LONGTEXT": 2**32 - 1,
    "BLOB": 2**16 - 1,
}
_PACKET_OVERHEAD_BYTES: Final = 64 << 10

Check: TypeAlias = Callable[[Value], str | None]
"""The limit that a value breaks, or None."""


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
    return {column.name: _check(column, engine) for column in table.columns if column.computed is None}


def check_row(
    archived: ArchivedTable, row: Row, checks: Sequence[Check | None], keys: Sequence[int], faults: Faults
) -> None:
    for place, (value, check) in enumerate(zip(row, checks, strict=True)):
        if value is not None and check is not None and (limit := check(value)) is not None:
            faults.add(archived.name, key_of(archived, row, keys), archived.columns[place].name, limit)


def key_of(archived: ArchivedTable, row: Row, places: Sequence[int]) -> str:
    return ", ".join(f"{archived.columns[place].name}={shortened(row[place])}" for place in places)


def shortened(value: Value) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _check(column: "SchemaColumn[Any]", engine: Engine) -> Check:
    check: Check
    match column.type:
        case Boolean():
            check = _boolean
        case Integer() as kind:
            check = _integer(kind, engine)
        case Float():
            check = _float(engine)
        case LargeBinary():
            check = _binary(_mysql_bytes(column, engine))
        case String() as kind if engine.name != "sqlite":
            check = _text(kind.length, _mysql_bytes(column, engine), engine)
        case JSON():
            check = _text(None, _mysql_bytes(column, engine), engine)
        case _:
            check = _text(None, None, engine)
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


def _float(engine: Engine) -> Check:
    def check(value: Value) -> str | None:
        if not isinstance(value, int | float):
            return f"{shortened(value)} is no number"
        if engine.name == "mysql" and not math.isfinite(value):
            return f"{value} is a number that MySQL and MariaDB do not have"
        if engine.name != "postgresql" and value == 0 and math.copysign(1, value) < 0:
            return f"-0.0 would become 0.0 in {engine.name}"
        if engine.name == "sqlite" and math.isnan(value):
            return "nan would become NULL in SQLite"
        return None

    return check


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
