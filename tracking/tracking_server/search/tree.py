"""What a filter or an order_by says, once it is parsed: plain values, without the text they came from."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias


class Entity(enum.Enum):
    """What an identifier belongs to."""

    ATTRIBUTE = "attribute"
    METRIC = "metric"
    PARAM = "param"
    TAG = "tag"
    DATASET = "dataset"


class Comparator(enum.StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    LIKE = "LIKE"
    ILIKE = "ILIKE"
    IN = "IN"
    NOT_IN = "NOT IN"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"


@dataclass(frozen=True, kw_only=True, slots=True)
class Identifier:
    """`key` is the name of an attribute, aliases resolved, or the key of a metric, param or tag."""

    entity: Entity
    key: str


Scalar: TypeAlias = str | int | float

Value: TypeAlias = Scalar | tuple[Scalar, ...] | None
"""A literal; a list for IN and NOT IN, None for IS NULL and IS NOT NULL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    identifier: Identifier
    comparator: Comparator
    value: Value


@dataclass(frozen=True, kw_only=True, slots=True)
class And:
    """True when every part is; without parts, as an empty filter is, it is always true."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Or:
    """True when some part is."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    """True of all that `part` does not find, what has not the key that it compares included."""

    part: "Filter"


Filter: TypeAlias = Comparison | And | Or | Not


def comparisons_of(tree: Filter) -> Iterator[Comparison]:
    """All of them, wherever they stand, in the order in which they are written."""
    match tree:
        case Comparison():
            yield tree
        case Not(part=part):
            yield from comparisons_of(part)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from comparisons_of(part)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    identifier: Identifier
    descending: bool = False
