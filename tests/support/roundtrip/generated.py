"""Rows for every table of the schema at its head, as odd as all engines take them; the same for the same seed."""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
)

from tracking_server.database import schema
from tracking_server.database.archive.singles import as_single, shortest

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]

TABLES: Final[Sequence[Table]] = (*schema.metadata.sorted_tables, *schema.own_metadata.sorted_tables)

_NULLS: Final = 0.2
_LONG: Final = 0.1
_WITHOUT_LIMIT: Final = 16_000
_INDEX_BYTES: Final = 2400
"""An entry of an index of PostgreSQL has at most 2,704."""
_ALPHABETS: Final = (
    "abcXYZ019",
    " \t\r\n\v\f\x01\x1b\x7f",
    "'\"`\\%{}[]$,;:\\N\\.",
    "éßİıﬀŉſ",
    "e\u0301a\u0308\u200d\u200b\u202e\ufeff\u2028",
    "漢字カナ한글",
    "🙂👩\u200d🚀\U0001d518\U0010ffff",
    "\ufffd\ufffe\uffff\x80\x9f\xa0",
)
_JSON: Final = (
    *("null", "true", "0", "-0.0", "1.50", " 7 ", "1e22", '""', "[]", "{}"),
    *('{"a": [1,  2], "a":\t"b"}', '"\\u0000 \\ud83d\\ude42 🙂"', '["NaN", "\\\\N"]', " [ 1 ] ", "[" * 30 + "]" * 30),
)
_FLOATS: Final = (
    *(0.0, -0.0, 1.0, -1.5, 0.1, 1 / 3, -1e-300, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308),
    *(-1.7976931348623157e308, 2.0**53 + 2, 123456789.125, 1e16, 1e22, 1.0000000000000002),
)
_SINGLES: Final = (0.0, -0.0, 0.1, 1 / 3, 1234567.0, 16777217.0, 1e-45, 3.4028234e38, -2.5)
_DATES: Final = ("0001-01-01", "1582-10-10", "1999-12-31", "2024-02-29", "9999-12-31")
_ONE_OF: Final = re.compile(r"(\w+) IN \(('.*')\)")
_ATTEMPTS: Final = 20


def generate(seed: int, rows: int) -> Rows:
    """So many for each table, fewer where there are not so many different keys."""
    generator = _Generator(random.Random(seed))
    for table in TABLES:
        generator.fill(table, rows)
    return generator.rows


def is_single(column: "Column[Any]") -> bool:
    """A double, but one of 32 bits on MySQL and MariaDB."""
    return isinstance(column.type, Float) and column.type.precision is None


def unique_keys(table: Table) -> Iterator[Sequence[str]]:
    yield [column.name for column in table.primary_key.columns]
    for each in (*table.constraints, *table.indexes):
        if isinstance(each, UniqueConstraint) or (isinstance(each, Index) and each.unique):
            yield [str(column.name) for column in each.columns]


def choices_of(table: Table) -> Mapping[str, Sequence[str]]:
    """What a column may hold, by the CHECKs of its table."""
    checks = [str(each.sqltext) for each in table.constraints if isinstance(each, CheckConstraint)]
    return {match[1]: re.findall(r"'(\w+)'", match[2]) for check in checks if (match := _ONE_OF.fullmatch(check))}


@dataclass(kw_only=True, slots=True)
class _Shape:
    """What limits the values of one table."""

    table: Table
    keys: Sequence[Sequence[str]]
    choices: Mapping[str, Sequence[str]]
    longest: Mapping[str, int]
    subtracted: str
    seen: dict[int, set[tuple[object, ...]]] = field(default_factory=dict[int, set[tuple[object, ...]]])

    def is_new(self, row: Row) -> bool:
        found = {
            number: tuple(row[name] for name in names)
            for number, names in enumerate(self.keys)
            if all(row[name] is not None for name in names)
        }
        if any(key in self.seen.setdefault(number, set()) for number, key in found.items()):
            return False
        for number, key in found.items():
            self.seen[number].add(key)
        return True


class _Generator:
    def __init__(self, randomness: random.Random) -> None:
        self._random = randomness
        self._numbers = count(1)
        self.rows: dict[str, list[Row]] = {}

    def fill(self, table: Table, rows: int) -> None:
        made: list[Row] = []
        shape = _Shape(
            table=table,
            keys=list(unique_keys(table)),
            choices=choices_of(table),
            longest=_longest(table),
            subtracted=" ".join(
                str(column.computed.sqltext) for column in table.columns if column.computed is not None
            ),
        )
        for _ in range(rows * _ATTEMPTS):
            row = self._row(shape)
            if row is not None and shape.is_new(row):
                made.append(row)
            if len(made) == rows:
                break
        self.rows[table.name] = made

    def _row(self, shape: _Shape) -> Row | None:
        """None when a row would refer to a table that has none."""
        row = {column.name: self._value(column, shape) for column in shape.table.columns if column.computed is None}
        for key in shape.table.foreign_key_constraints:
            if key.referred_table is shape.table:
                row |= dict.fromkeys(key.column_keys)
                continue
            parents = self.rows[key.referred_table.name]
            is_nullable = all(shape.table.columns[name].nullable for name in key.column_keys)
            if is_nullable and (not parents or self._random.random() < _NULLS):
                row |= dict.fromkeys(key.column_keys)
            elif parents:
                parent = self._random.choice(parents)
                row |= {each.parent.name: parent[each.column.name] for each in key.elements}
            else:
                return None
        return row

    def _value(self, column: "Column[Any]", shape: _Shape) -> object:
        if column.nullable and self._random.random() < _NULLS:
            return None
        if column.name in shape.choices:
            return self._random.choice(shape.choices[column.name])
        is_key = any(column.name in names for names in shape.keys)
        if isinstance(column.type, String):
            longest = shape.longest[column.name]
            return self._key(longest) if is_key else self._text(longest)
        if isinstance(column.type, Integer):
            is_counted = column.primary_key and len(shape.table.primary_key.columns) == 1
            return next(self._numbers) if is_counted else self._integer(column, shape)
        return self._random.choice(self._few(column))

    def _few(self, column: "Column[Any]") -> Sequence[object]:
        match column.type:
            case Boolean():
                found: Sequence[object] = [False, True]
            case Float() if is_single(column):
                found = [shortest(as_single(number)) for number in _SINGLES]
            case Float():
                found = [*_FLOATS, self._random.uniform(-1e6, 1e6)]
            case LargeBinary():
                found = [self._random.randbytes(length) for length in (0, 1, 255, 5000)]
            case JSON():
                found = _JSON
            case Date():
                found = _DATES
            case kind:
                raise TypeError(f"no values for {column}, which is {kind!r}")
        return found

    def _integer(self, column: "Column[Any]", shape: _Shape) -> int:
        """What the engine subtracts from one another must not be too far apart."""
        bits = 62 if column.name in shape.subtracted.split() else 64 if isinstance(column.type, BigInteger) else 32
        bound = 1 << (bits - 1)
        return self._random.choice([0, 1, -1, -bound, bound - 1, self._random.randrange(-bound, bound)])

    def _key(self, longest: int) -> str:
        """One that no collation takes for another."""
        number = f"{next(self._numbers):x}-"
        return number + self._text(longest - len(number))

    def _text(self, longest: int) -> str:
        alphabet = "".join(self._random.sample(_ALPHABETS, self._random.randint(1, 3)))
        is_long = self._random.random() < _LONG
        length = longest if is_long else min(longest, self._random.choice([0, 1, 2, 5, 30]))
        return "".join(self._random.choices(alphabet, k=length))


def _longest(table: Table) -> Mapping[str, int]:
    """How many characters a text may have, so that no index has an entry that is too long."""
    texts = {
        column.name: column.type.length or _WITHOUT_LIMIT for column in table.columns if isinstance(column.type, String)
    }
    indexes = [
        [*(str(column.name) for column in index.columns), *(index.dialect_options["postgresql"]["include"] or ())]
        for index in table.indexes
    ]
    for names in (*unique_keys(table), *indexes):
        indexed = [name for name in names if name in texts]
        room = _INDEX_BYTES // 4 - sum(texts[name] for name in indexed)
        while room < 0:
            longest = max(indexed, key=lambda name: texts[name])
            cut = min(-room, texts[longest] // 2)
            texts[longest] -= cut
            room += cut
    return texts
