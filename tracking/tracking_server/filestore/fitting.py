"""What an engine can hold of what a folder holds. SQLite takes everything; the others have lengths, and more.

A text that is too long is cut off, as MLflow does with params and tags, where that leaves its meaning; a row whose key
or address does not fit is left out. Both are faults that name the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar, cast

from sqlalchemy import String, Table
from sqlalchemy.dialects import mysql

from tracking_server.filestore.folder import Broken, Faults

Row = TypeVar("Row", bound=tuple[object, ...])

CUT: Final = frozenset(
    {
        *("value", "param_value", "tag_value", "description", "status_message", "user_id"),
        *("source_name", "entry_point_name", "source_version"),
        *("request_preview", "response_preview", "rationale"),
    }
)
"""Columns whose texts may be cut off."""
_WHOLE: Final = frozenset({"assessments.value"})
"""But not these, which hold JSON."""

_MYSQL: Final = mysql.dialect()
_TEXT_OF_MYSQL: Final = 65_535 // 4
"""Characters that a TEXT holds whatever they are."""


class _Limit(NamedTuple):
    column: str
    place: int
    characters: int
    may_cut: bool = True


@dataclass(frozen=True, slots=True)
class Fit:
    """For one engine; `faults` gets what did not fit."""

    dialect: str
    faults: Faults

    def row(self, table: Table, row: Row, path: str) -> Row:
        """Raises Broken when it cannot be made to fit."""
        if self.dialect == "sqlite":
            return row
        fitted = [self._clean(value, path) for value in row]
        for limit in _limits(table, cast("tuple[str, ...]", getattr(row, "_fields", ())), self.dialect):
            value = fitted[limit.place]
            if isinstance(value, str) and len(value) > limit.characters:
                fitted[limit.place] = self._cut(value, limit, f"{path} ({limit.column})")
        make = cast(Callable[[Sequence[object]], Row], getattr(type(row), "_make", type(row)))
        return make(fitted)

    def texts(self, table: Table, columns: tuple[str, str], texts: Mapping[str, str], path: str) -> dict[str, str]:
        """Keys and values of `columns`; those that do not fit are left out."""
        if self.dialect == "sqlite":
            return dict(texts)
        key_limit, value_limit = (_limit_of(table, column, self.dialect) for column in columns)
        fitted: dict[str, str] = {}
        seen: dict[str, str] = {}
        for key, value in texts.items():
            place = f"{path}/{key}"
            folded = alike(key, self.dialect)
            if key_limit is not None and len(key) > key_limit:
                self.faults.add(place, f"its key is longer than {key_limit} characters: left out")
            elif folded in seen:
                self.faults.add(place, f"this database cannot tell its key from {seen[folded]!r}: left out")
            else:
                seen[folded] = key
                kept = str(self._clean(value, place))
                if value_limit is not None and len(kept) > value_limit:
                    kept = self._cut(kept, _Limit(columns[1], 1, value_limit, columns[1] in CUT), place)
                fitted[key] = kept
        return fitted

    def _clean(self, value: object, path: str) -> object:
        if self.dialect == "postgresql" and isinstance(value, str) and "\0" in value:
            self.faults.add(path, "PostgreSQL holds no NUL characters: they were removed")
            return value.replace("\0", "")
        return value

    def _cut(self, value: str, limit: _Limit, path: str) -> str:
        if not limit.may_cut:
            hint = " Shorten it with --rewrite-artifact-uri." if "artifact" in limit.column else ""
            raise Broken(
                f"its {limit.column} has {len(value)} characters, where the database holds {limit.characters}:"
                f" left out.{hint}"
            )
        self.faults.add(path, f"cut off from {len(value)} to {limit.characters} characters")
        return value[: limit.characters]


def alike(text: str, dialect: str) -> str:
    """Equal for texts that the engine may take for one: MySQL's usual collations ignore case and trailing blanks."""
    return text.casefold().rstrip() if dialect == "mysql" else text


def _limits(table: Table, fields: tuple[str, ...], dialect: str) -> list[_Limit]:
    return [
        _Limit(name, place, characters, name in CUT and f"{table.name}.{name}" not in _WHOLE)
        for place, name in enumerate(fields)
        if (characters := _limit_of(table, name, dialect)) is not None
    ]


def _limit_of(table: Table, column: str, dialect: str) -> int | None:
    kind = table.c[column].type
    if not isinstance(kind, String):
        return None
    if kind.length is not None:
        return kind.length
    return _TEXT_OF_MYSQL if dialect == "mysql" and kind.compile(dialect=_MYSQL) == "TEXT" else None
