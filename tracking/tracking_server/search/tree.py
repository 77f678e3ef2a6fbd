"""What a filter or an order_by says, once it is parsed: plain values, without the text they came from.

A filter is a tree, so that a grammar with more than AND adds classes to `Filter` and changes nothing else.
"""

import enum
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
    """True when every part is; without parts it is always true."""

    parts: tuple["Filter", ...]


Filter: TypeAlias = Comparison | And


@dataclass(frozen=True, kw_only=True, slots=True)
class Ordering:
    identifier: Identifier
    descending: bool = False
