"""Comparators of the search language on columns, with one meaning on every engine.

Text is compared exactly, except by ILIKE. The usual collations of MySQL and SQL Server would ignore case, accents and
trailing blanks; on SQLite, LIKE is exact because every session sets `case_sensitive_like`, and ILIKE folds ASCII only.
"""

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, assert_never

from sqlalchemy import (
    BINARY,
    BigInteger,
    ColumnElement,
    Exists,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
    type_coerce,
)

from tracking_server.database.tables.metadata import DOUBLE
from tracking_server.search.tree import And, Comparator, Comparison, Filter, Not, Or, Value, comparisons_of

_ESCAPE = "/"

_MOST_JOINS = 8
"""A database makes joins of so many subqueries: for 200, PostgreSQL would think for eight seconds in which order."""

_RELATIONS: Mapping[Comparator, Callable[[Any, Any], ColumnElement[bool]]] = {
    Comparator.EQUAL: operator.eq,
    Comparator.NOT_EQUAL: operator.ne,
    Comparator.GREATER: operator.gt,
    Comparator.GREATER_OR_EQUAL: operator.ge,
    Comparator.LESS: operator.lt,
    Comparator.LESS_OR_EQUAL: operator.le,
}

_TRUE_OF_LESS = frozenset({Comparator.LESS, Comparator.LESS_OR_EQUAL, Comparator.NOT_EQUAL})
_TRUE_OF_GREATER = frozenset({Comparator.GREATER, Comparator.GREATER_OR_EQUAL, Comparator.NOT_EQUAL})


def filter_matches(tree: Filter, holds: Callable[[Comparison], ColumnElement[bool]]) -> ColumnElement[bool]:
    """The whole filter, from what one comparison means for the noun that is searched."""
    if sum(1 for _ in comparisons_of(tree)) <= _MOST_JOINS:
        return _filter_holds(tree, holds)
    return _filter_holds(tree, lambda comparison: _as_number(holds(comparison)) == 1)


def _filter_holds(tree: Filter, holds: Callable[[Comparison], ColumnElement[bool]]) -> ColumnElement[bool]:
    match tree:
        case And(parts=parts):
            return and_(true(), *(_filter_holds(part, holds) for part in parts))
        case Or(parts=parts):
            return or_(false(), *(_filter_holds(part, holds) for part in parts))
        case Not(part=part):
            return _filter_fails(part, holds)
        case Comparison():
            return holds(tree)
        case _:
            assert_never(tree)


def _filter_fails(tree: Filter, holds: Callable[[Comparison], ColumnElement[bool]]) -> ColumnElement[bool]:
    """NOT is moved inwards to single comparisons: there it can be said so that a NULL counts as no match."""
    match tree:
        case And(parts=parts):
            return or_(false(), *(_filter_fails(part, holds) for part in parts))
        case Or(parts=parts):
            return and_(true(), *(_filter_fails(part, holds) for part in parts))
        case Not(part=part):
            return _filter_holds(part, holds)
        case Comparison():
            condition = holds(tree)
            return not_(condition) if isinstance(condition, Exists) else _as_number(condition) == 0
        case _:
            assert_never(tree)


def _as_number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 when it is true, else 0; and no subquery in it becomes a join."""
    return case((condition, 1), else_=0)


def text_equals(column: ColumnElement[Any], value: str, dialect: str) -> ColumnElement[bool]:
    """Exactly this text. Where that needs a conversion, the plain comparison stands beside it, for the index."""
    exact = _exact(column, dialect) == literal(value, String)
    return exact if _exact(column, dialect) is column else and_(column == literal(value, String), exact)


def text_matches(column: ColumnElement[Any], comparator: Comparator, value: Value, dialect: str) -> ColumnElement[bool]:
    """`value` is a list for IN and NOT IN. A NULL in the column never matches."""
    match comparator, value:
        case Comparator.EQUAL, str():
            return text_equals(column, value, dialect)
        case Comparator.NOT_EQUAL, str():
            return _exact(column, dialect) != literal(value, String)
        case Comparator.IN, tuple():
            return _exact(column, dialect).in_(value)
        case Comparator.NOT_IN, tuple():
            return _exact(column, dialect).not_in(value)
        case Comparator.LIKE | Comparator.ILIKE, str():
            return _pattern_matches(column, value, dialect, ignores_case=comparator is Comparator.ILIKE)
        case _:
            raise AssertionError(f"a text is not compared by {comparator} with {value!r}")


def _pattern_matches(
    column: ColumnElement[Any], value: str, dialect: str, *, ignores_case: bool
) -> ColumnElement[bool]:
    """Only % and _ are wildcards: a backslash is not (PostgreSQL, MySQL), nor is a bracket (SQL Server)."""
    pattern = literal(value.replace(_ESCAPE, _ESCAPE * 2).replace("[", f"{_ESCAPE}["), String)
    if not ignores_case:
        return _exact(column, dialect).like(pattern, escape=_ESCAPE)
    if dialect == "postgresql":
        return column.ilike(pattern, escape=_ESCAPE)
    return _exact(func.lower(column), dialect).like(func.lower(pattern), escape=_ESCAPE)


def number_matches(column: ColumnElement[Any], comparator: Comparator, value: Value) -> ColumnElement[bool]:
    """An integer column may be compared with a fraction: neither side is rounded. All there is lies between infinities,
    which not every engine takes as a parameter.
    """
    match value:
        case float() if math.isinf(value):
            beyond = _TRUE_OF_LESS if value > 0 else _TRUE_OF_GREATER
            return column.is_not(None) if comparator in beyond else false()
        case int():
            return _RELATIONS[comparator](column, literal(value, BigInteger))
        case float():
            return _RELATIONS[comparator](column, literal(value, DOUBLE))
        case _:
            raise AssertionError(f"a number is not compared by {comparator} with {value!r}")


def storable_ids(ids: Iterable[int], dialect: str) -> Sequence[int]:
    """Those ids that a column of the engine can hold; no row has one of the others. SQLite's integers have 64 bits."""
    storable = range(-(2**63), 2**63) if dialect == "sqlite" else range(-(2**31), 2**31)
    return [number for number in ids if number in storable]


def id_matches(column: ColumnElement[Any], comparator: Comparator, value: Value, dialect: str) -> ColumnElement[bool]:
    """Equality, or a place in a list, of an integer id."""
    ids = storable_ids(
        (item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, int)), dialect
    )
    match comparator:
        case Comparator.EQUAL | Comparator.IN:
            return column.in_(ids)
        case Comparator.NOT_EQUAL | Comparator.NOT_IN:
            return column.not_in(ids)
        case _:
            raise AssertionError(f"an id is not compared by {comparator}")


def _exact(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    match dialect:
        case "mysql":
            return type_coerce(cast(column, BINARY), String)
        case "mssql":
            return column.collate("Latin1_General_BIN2")
        case _:
            return column
