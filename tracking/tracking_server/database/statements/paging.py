"""Pages of a search: a total order, the place in it where a page ends, and the opaque token that carries the place.

A page starts behind a place, not at an offset, so rows that come or go in between shift nothing. NULLs are last in both
directions, on every engine.
"""

import base64
import binascii
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, false, or_, select, true, union_all

from tracking_server.errors import InvalidParameter

MOST_STREAMS: Final = 4
"""Each is a part of the statement, with all of the filter in it."""

_VERSION = 1

_INT64 = range(-(2**63), 2**63)

Selected: TypeAlias = Select[*tuple[Any, ...]]
Place: TypeAlias = int | float | str | None
"""Where a row stands by one key: its value, None for NULL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SortKey:
    column: ColumnElement[Any]
    kind: type[int] | type[float] | type[str]
    descending: bool = False
    is_nullable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The rows of a page and the token of the next, empty when there is none."""

    rows: Sequence[Sequence[Any]]
    next_page_token: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PageQuery:
    """`statement` selects the rows of a page and one more; `page_of_rows` makes the page of what it found."""

    statement: Selected
    width: int
    places: Sequence[int]
    """Where in a row the keys of the order are."""
    size: int
    query: str

    def page_of_rows(self, rows: Sequence[Sequence[Any]]) -> Page:
        """Its rows have the columns that were asked for, without those that only the order needs."""
        shown = rows[: self.size]
        token = _token_of([shown[-1][place] for place in self.places], self.query) if len(rows) > self.size else ""
        if max(self.places, default=0) >= self.width:
            shown = [row[: self.width] for row in shown]
        return Page(rows=shown, next_page_token=token)


def select_page(
    statement: Selected,
    keys: Sequence[SortKey],
    *,
    size: int,
    token: str,
    query: str,
    dialect: str,
    streams: Sequence[ColumnElement[bool]] = (),
) -> PageQuery:
    """`keys` end in a unique one. `query` is the hash of what is searched for, and a token is good for that alone.

    `streams` part the rows, where an index has each part in the order of `keys`: then a page is read from the place
    where it starts in each, and not from the first row.
    Raises InvalidParameter for a token that no page of this search has given.
    """
    asked_for = list(statement.selected_columns)
    found_at = [_index(key.column, asked_for) for key in keys]
    added = [key.column for key, place in zip(keys, found_at, strict=True) if place is None]
    behind = iter(range(len(asked_for), len(asked_for) + len(added)))
    places = [next(behind) if place is None else place for place in found_at]
    statement = statement.add_columns(*(column.label(f"sort_{index}") for index, column in enumerate(added)))
    start = _places_of(token, keys, query) if token else None
    if not streams:
        parts = [statement if start is None else statement.where(_is_after(keys, start))]
    else:
        ranges = [true()] if start is None else _ranges_after(keys, start)
        parts = [statement.where(stream, within) for stream in streams for within in ranges]
    return PageQuery(
        statement=_merged([_first(part, keys, size, dialect) for part in parts], keys, places, size, dialect),
        width=len(asked_for),
        places=places,
        size=size,
        query=query,
    )


def _first(statement: Selected, keys: Sequence[SortKey], size: int, dialect: str) -> Selected:
    """One more than the page has."""
    return statement.order_by(*(clause for key in keys for clause in _order(key, dialect))).limit(size + 1)


def _merged(
    parts: Sequence[Selected], keys: Sequence[SortKey], places: Sequence[int], size: int, dialect: str
) -> Selected:
    if len(parts) == 1:
        return parts[0]
    merged = union_all(*(select(part.subquery()) for part in parts)).subquery()
    columns: list[ColumnElement[Any]] = list(merged.c)
    moved = [replace(key, column=columns[place]) for key, place in zip(keys, places, strict=True)]
    return _first(select(*columns), moved, size, dialect)


def _index(column: ColumnElement[Any], columns: Sequence[ColumnElement[Any]]) -> int | None:
    """`in` and `index` would make SQL of the comparison."""
    return next((index for index, each in enumerate(columns) if each is column), None)


def query_hash(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


def check_page_size(max_results: int, highest: int) -> None:
    told = f"Invalid value {max_results} for parameter 'max_results' supplied."
    if max_results < 1:
        raise InvalidParameter(f"{told} It must be a positive integer, at most {highest}.")
    if max_results > highest:
        raise InvalidParameter(f"{told} It must be at most {highest}.")


def _order(key: SortKey, dialect: str) -> Sequence[ColumnElement[Any]]:
    """SQLite, MySQL and SQL Server take a NULL for the least value, PostgreSQL for the greatest."""
    match key.descending, key.is_nullable:
        case True, True if dialect == "postgresql":
            return [key.column.desc().nulls_last()]
        case True, _:
            return [key.column.desc()]
        case False, True if dialect != "postgresql":
            return [case((key.column.is_(None), 1), else_=0), key.column.asc()]
        case _:
            return [key.column.asc()]


def _is_after(keys: Sequence[SortKey], places: Sequence[Place]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = false()
    for key, place in zip(reversed(keys), reversed(places), strict=True):
        if place is None:
            condition = and_(key.column.is_(None), condition)
            continue
        beyond = key.column < place if key.descending else key.column > place
        later = or_(beyond, and_(key.column == place, condition))
        condition = or_(later, key.column.is_(None)) if key.is_nullable else later
    return condition


def _ranges_after(keys: Sequence[SortKey], places: Sequence[Place]) -> Sequence[ColumnElement[bool]]:
    """What is behind the place, as ranges of the first key: its values from there on, and its NULLs."""
    first, place = keys[0], places[0]
    if place is None:
        return [_is_after(keys, places)]
    from_here = first.column <= place if first.descending else first.column >= place
    values = and_(from_here, _is_after([replace(first, is_nullable=False), *keys[1:]], places))
    return [values, first.column.is_(None)] if first.is_nullable else [values]


class _Token(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    version: int
    query: str
    places: tuple[Place, ...]


def _token_of(places: Sequence[Place], query: str) -> str:
    text = msgspec.json.encode(_Token(_VERSION, query, tuple(places)))
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode("ascii")


def _places_of(token: str, keys: Sequence[SortKey], query: str) -> tuple[Place, ...]:
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(text, type=_Token)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise InvalidParameter("Invalid page token: it is not one that this server has given.") from error
    if found.version != _VERSION:
        raise InvalidParameter(
            "Invalid page token: it is of another version of this server. Start from the first page."
        )
    if found.query != query:
        raise InvalidParameter("Invalid page token: it belongs to a search with other parameters.")
    if len(found.places) != len(keys) or not all(map(_fits, keys, found.places)):
        raise InvalidParameter("Invalid page token: it is not one that this server has given.")
    return found.places


def _fits(key: SortKey, place: Place) -> bool:
    match place:
        case None:
            return key.is_nullable
        case str():
            return key.kind is str and "\x00" not in place
        case int():
            return key.kind is not str and place in _INT64
        case float():
            return key.kind is float and math.isfinite(place)
