"""Values that one engine has and another cannot hold, each put into a row that would else come over."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnClause,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    column,
    select,
    table,
    update,
)

from tests.support.roundtrip.generated import TABLES, choices_of, is_single, unique_keys
from tracking_server.database.transactions import Database

_LOOSE: Final = "sqlite"
_STRICT: Final = ("postgresql", "mariadb")
"""SQLite takes nearly anything, these do not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """`said`: how the refusal tells it."""

    source: str
    targets: Sequence[str]
    kind: type[Any]
    value: Any
    said: str
    only_single: bool = False


FAULTS: Final = (
    Fault(source=_LOOSE, targets=_STRICT, kind=Integer, value=2**31, said="2147483648 is no integer of 32 bits"),
    Fault(source=_LOOSE, targets=_STRICT, kind=Integer, value="seven", said="'seven' is no integer"),
    Fault(source=_LOOSE, targets=_STRICT, kind=BigInteger, value=1.5, said="1.5 is no integer"),
    Fault(source=_LOOSE, targets=_STRICT, kind=Float, value="much", said="'much' is no number"),
    Fault(source=_LOOSE, targets=("mariadb",), kind=Float, value=float("inf"), said="inf is a number that MySQL"),
    Fault(source=_LOOSE, targets=("mariadb",), kind=Float, value=1.1234567891, said="keep 32 bits", only_single=True),
    Fault(source=_LOOSE, targets=("mariadb",), kind=Float, value=1e300, said="too large", only_single=True),
    Fault(source=_LOOSE, targets=_STRICT, kind=String, value=b"\x00\xff", said="is no text"),
    Fault(source=_LOOSE, targets=("postgresql",), kind=String, value="a\0b", said="it has the character NUL"),
    Fault(source=_LOOSE, targets=_STRICT, kind=LargeBinary, value="text", said="'text' is not binary"),
    Fault(source=_LOOSE, targets=_STRICT, kind=Boolean, value=2, said="2 is neither true nor false"),
    Fault(source=_LOOSE, targets=_STRICT, kind=JSON, value='{"a": NaN}', said="is no JSON"),
    Fault(source=_LOOSE, targets=_STRICT, kind=JSON, value="[" * 33 + "]" * 33, said="JSON of 33 levels"),
    Fault(source=_LOOSE, targets=_STRICT, kind=Date, value="someday", said="'someday' is no date"),
    Fault(source="postgresql", targets=("sqlite",), kind=Float, value=float("nan"), said="nan would become NULL"),
    Fault(source="postgresql", targets=("mariadb",), kind=Float, value=float("nan"), said="nan is a number that MySQL"),
    Fault(source="postgresql", targets=("sqlite",), kind=JSON, value="1e400", said="would become inf in SQLite"),
    Fault(source="mariadb", targets=("sqlite",), kind=JSON, value="0.12345678901234567890", said="would become 0.123"),
    Fault(source="mariadb", targets=("sqlite", "postgresql"), kind=String, value="", said="is none of"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """What a refusal has to tell."""

    table: str
    column: str
    said: str


def break_rows(database: Database, source: str, target: str, randomness: random.Random) -> Sequence[Broken]:
    """One cell for each fault that there is between the two engines."""
    taken: set[tuple[str, object]] = set()
    with database.write() as connection:
        return [
            _break(connection, fault, taken, randomness)
            for fault in FAULTS
            if fault.source == source and target in fault.targets
        ]


def _break(connection: Connection, fault: Fault, taken: set[tuple[str, object]], randomness: random.Random) -> Broken:
    cells = [(each, cell) for each in TABLES for cell in each.columns if _can_have(fault, each, cell)]
    randomness.shuffle(cells)
    for each, broken in cells:
        keys: list[ColumnClause[Any]] = [column(key.name) for key in each.primary_key.columns]
        rows = connection.execute(select(*keys).select_from(table(each.name)).order_by(*keys)).all()
        for row in rows:
            if (each.name, tuple(row)) not in taken:
                taken.add((each.name, tuple(row)))
                value = choices_of(each)[broken.name][0].swapcase() if fault.said == "is none of" else fault.value
                where = [key == part for key, part in zip(keys, row, strict=True)]
                bare = table(each.name, column(broken.name), *keys)
                connection.execute(update(bare).where(*where).values({broken.name: value}))
                return Broken(table=each.name, column=broken.name, said=fault.said)
    raise AssertionError(f"no row is left to be broken by {fault}")


def _can_have(fault: Fault, each: Table, cell: "Column[Any]") -> bool:
    names = [*(name for key in unique_keys(each) for name in key), *(key.parent.name for key in each.foreign_keys)]
    if cell.name in names or cell.computed is not None or not isinstance(cell.type, fault.kind):
        return False
    if (cell.name in choices_of(each)) is not (fault.said == "is none of"):
        return False
    computed = " ".join(str(other.computed.sqltext) for other in each.columns if other.computed is not None)
    if cell.name in computed.split():
        return False
    if fault.kind is Integer:
        return not isinstance(cell.type, BigInteger)
    if fault.kind is Boolean:
        return cell.name != "is_nan"  # which a CHECK guards
    return fault.kind is not Float or is_single(cell) is fault.only_single


def told(broken: Sequence[Broken], message: str) -> Iterator[str]:
    """What the refusal did not tell."""
    if not message.startswith(f"{len(broken)} values do not fit"):
        yield f"{len(broken)} values were broken, and this was told: {message.partition(';')[0]}"
    lines = message.splitlines()
    for each in broken:
        if not any(
            line.startswith(f"{each.table} [") and f"] {each.column}: " in line and each.said in line for line in lines
        ):
            yield f"not told: {each} in {message}"
