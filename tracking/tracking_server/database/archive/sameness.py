"""What MySQL and MariaDB hold to be the same: their collations may take 'Loss', 'loss' and 'loss ' for one key.

The server itself says so, by the weight of a text. Keys are remembered as single bits; those that meet in a bit are
looked at again, one by one, so memory stays within bounds.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, Index, Table, UniqueConstraint
from sqlalchemy import String as Text
from sqlalchemy.types import JSON

from tracking_server.database.archive.format import Row

_TEXTS_AT_ONCE: Final = 200
_MOST_REMEMBERED: Final = 100_000
_BITS_FOR_A_ROW: Final = 32
_FEWEST_BITS: Final = 1 << 16
_MOST_BITS: Final = 1 << 30


class Weights:
    """Of texts, as the collation of the database sees them: equal weights are equal keys."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.collation: Final = str(connection.exec_driver_sql("SELECT @@collation_database").scalar())
        pads = connection.exec_driver_sql(f"SELECT 'a' = 'a ' COLLATE {self.collation}").scalar()
        self._weight = f"WEIGHT_STRING({'RTRIM(%s)' if pads else '%s'} COLLATE {self.collation})"
        self._known: dict[str, bytes] = {}

    def learn(self, texts: Iterable[str]) -> None:
        if len(self._known) > _MOST_REMEMBERED:
            self._known.clear()
        new = list({text for text in texts if text not in self._known})
        for start in range(0, len(new), _TEXTS_AT_ONCE):
            asked = new[start : start + _TEXTS_AT_ONCE]
            statement = f"SELECT {', '.join([self._weight] * len(asked))}"
            weights = self._connection.exec_driver_sql(statement, tuple(asked)).one()
            self._known |= dict(zip(asked, weights, strict=True))

    def __getitem__(self, text: str) -> bytes:
        return self._known[text]


class UniqueKey:
    """One unique key of a table, whose texts could be the same for the engine though they are not."""

    def __init__(self, columns: Sequence[str], rows: int) -> None:
        self.columns: Final = columns
        self.places: Sequence[int] = ()
        bits = min(max(1 << (rows * _BITS_FOR_A_ROW).bit_length(), _FEWEST_BITS), _MOST_BITS)
        self._mask = bits - 1
        self._seen = bytearray(bits // 8)
        self.suspects: set[int] = set()

    def note(self, row: Row, weights: Weights) -> None:
        if (digest := self.digest(row, weights)) is None:
            return
        place, bit = divmod(digest & self._mask, 8)
        if self._seen[place] & (1 << bit):
            self.suspects.add(digest & self._mask)
        self._seen[place] |= 1 << bit

    def is_suspect(self, digest: int) -> bool:
        return digest & self._mask in self.suspects

    def forget(self) -> None:
        self._seen = bytearray()

    def digest(self, row: Row, weights: Weights) -> int | None:
        """None for a key with NULL, which is the same as no other."""
        parts: list[object] = []
        for place in self.places:
            value = row[place]
            if value is None:
                return None
            parts.append(weights[value] if isinstance(value, str) else value)
        return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=16).digest(), "big")

    def texts(self, row: Row) -> list[str]:
        return [value for place in self.places if isinstance(value := row[place], str)]


def unique_keys(table: Table, rows: int) -> Sequence[UniqueKey]:
    found = [[column.name for column in table.primary_key.columns]]
    found += [
        [str(column.name) for column in each.columns]
        for each in (*table.constraints, *table.indexes)
        if isinstance(each, UniqueConstraint) or (isinstance(each, Index) and each.unique)
    ]
    return [
        UniqueKey(columns, rows)
        for columns in found
        if any(
            isinstance(table.columns[name].type, Text) and not isinstance(table.columns[name].type, JSON)
            for name in columns
        )
    ]
