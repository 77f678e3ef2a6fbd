"""What may be searched, as data: for each noun its identifiers, their comparators and literals.

The table of MLflow's search syntax (https://mlflow.org/docs/latest/search-runs), one grammar a noun.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from tracking_server.search.tree import Comparator, Entity


class Operand(enum.Enum):
    """What stands right of a comparator. The value is how a message calls it."""

    TEXT = "a quoted text, such as 'value'"
    TEXT_OR_WORD = "a text, such as 'value'"
    """A word or a number without quotes is a text too."""
    NUMBER = "an unquoted number, such as 0.5"
    INTEGER = "an unquoted integer, such as 1700000000000"
    QUOTED_INTEGER = "a quoted integer, such as '12'"
    ANY_INTEGER = "an integer, such as 12"
    """Quoted or not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    operand: Operand
    comparators: frozenset[Comparator]


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Identifiers of one entity. The first prefix is the one that messages show."""

    entity: Entity
    prefixes: tuple[str, ...]
    rule: Rule | Mapping[str, Rule]
    """One rule for every key, or the names that exist and the rule of each."""
    aliases: Mapping[str, str] = field(default_factory=dict[str, str])
    needs_prefix: bool = True
    orders: bool = True
    """Whether order_by may name it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    noun: str
    families: tuple[Family, ...]
    repeats_orders: bool = False
    """Whether order_by may name the same twice; the first counts."""


_EQUALITY = frozenset({Comparator.EQUAL, Comparator.NOT_EQUAL})
_ORDER = _EQUALITY | {Comparator.GREATER, Comparator.GREATER_OR_EQUAL, Comparator.LESS, Comparator.LESS_OR_EQUAL}
_PATTERNS = _EQUALITY | {Comparator.LIKE, Comparator.ILIKE}
_LISTS = frozenset({Comparator.IN, Comparator.NOT_IN})
_PRESENCE = frozenset({Comparator.IS_NULL, Comparator.IS_NOT_NULL})

_NUMBER = Rule(operand=Operand.NUMBER, comparators=_ORDER)
_INTEGER = Rule(operand=Operand.INTEGER, comparators=_ORDER)
_TEXT = Rule(operand=Operand.TEXT, comparators=_PATTERNS)
_TEXT_OR_LIST = Rule(operand=Operand.TEXT, comparators=_PATTERNS | _LISTS)
_WORD_OR_LIST = Rule(operand=Operand.TEXT_OR_WORD, comparators=_PATTERNS | _LISTS)
_TEXT_OR_NONE = Rule(operand=Operand.TEXT, comparators=_PATTERNS | _PRESENCE)
_NUMBER_OF_VERSION = Rule(operand=Operand.ANY_INTEGER, comparators=_ORDER)
_ONLY_ORDERS = Rule(operand=Operand.INTEGER, comparators=frozenset())
_ID_OR_LIST = Rule(operand=Operand.QUOTED_INTEGER, comparators=_EQUALITY | _LISTS)
_NUMBERED = Rule(operand=Operand.ANY_INTEGER, comparators=_EQUALITY | _LISTS)

RUNS = Grammar(
    noun="runs",
    families=(
        Family(entity=Entity.METRIC, prefixes=("metrics", "metric"), rule=_NUMBER),
        Family(entity=Entity.PARAM, prefixes=("params", "param", "parameters", "parameter"), rule=_TEXT_OR_NONE),
        Family(entity=Entity.TAG, prefixes=("tags", "tag"), rule=_TEXT_OR_NONE),
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attributes", "attribute", "attr", "run"),
            needs_prefix=False,
            rule={
                "run_id": _TEXT_OR_LIST,
                "run_name": _TEXT,
                "status": _TEXT,
                "user_id": _TEXT,
                "artifact_uri": _TEXT,
                "start_time": _NUMBER,
                "end_time": _NUMBER,
            },
            aliases={
                "created": "start_time",
                "Created": "start_time",
                "run name": "run_name",
                "Run name": "run_name",
                "Run Name": "run_name",
            },
        ),
        Family(
            entity=Entity.DATASET,
            prefixes=("datasets", "dataset"),
            rule={"name": _TEXT_OR_LIST, "digest": _TEXT_OR_LIST, "context": _TEXT_OR_LIST},
            orders=False,
        ),
    ),
)

EXPERIMENTS = Grammar(
    noun="experiments",
    repeats_orders=True,
    families=(
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attribute",),
            needs_prefix=False,
            rule={
                "name": _TEXT,
                "experiment_id": _ID_OR_LIST,
                "creation_time": _INTEGER,
                "last_update_time": _INTEGER,
            },
        ),
        Family(entity=Entity.TAG, prefixes=("tags", "tag"), rule=_TEXT_OR_NONE, orders=False),
    ),
)

LOGGED_MODELS = Grammar(
    noun="logged models",
    families=(
        Family(entity=Entity.METRIC, prefixes=("metrics",), rule=_NUMBER),
        Family(entity=Entity.PARAM, prefixes=("params",), rule=_WORD_OR_LIST),
        Family(entity=Entity.TAG, prefixes=("tags",), rule=_WORD_OR_LIST),
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attributes",),
            needs_prefix=False,
            rule={
                "name": _WORD_OR_LIST,
                "model_id": _WORD_OR_LIST,
                "model_type": _WORD_OR_LIST,
                "source_run_id": _WORD_OR_LIST,
                "experiment_id": _NUMBERED,
                "lifecycle_stage": _WORD_OR_LIST,
                "artifact_location": _WORD_OR_LIST,
                "status_message": _WORD_OR_LIST,
                "status": _NUMBERED,
                "creation_timestamp_ms": _NUMBER,
                "last_updated_timestamp_ms": _NUMBER,
            },
            aliases={
                "creation_time": "creation_timestamp_ms",
                "creation_timestamp": "creation_timestamp_ms",
                "last_updated_timestamp": "last_updated_timestamp_ms",
            },
        ),
    ),
)
"""Orders of logged models are objects, not texts: they are no part of the language."""

REGISTERED_MODELS = Grammar(
    noun="registered models",
    families=(
        Family(entity=Entity.ATTRIBUTE, prefixes=("attribute",), needs_prefix=False, rule={"name": _TEXT_OR_LIST}),
        Family(entity=Entity.TAG, prefixes=("tags", "tag"), rule=_TEXT, orders=False),
    ),
)
REGISTERED_MODEL_ORDERS = Grammar(
    noun="registered models",
    families=(
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attribute",),
            needs_prefix=False,
            rule={"name": _ONLY_ORDERS, "last_updated_timestamp": _ONLY_ORDERS},
            aliases={"timestamp": "last_updated_timestamp"},
        ),
    ),
)

MODEL_VERSIONS = Grammar(
    noun="model versions",
    families=(
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attribute",),
            needs_prefix=False,
            rule={
                "name": _TEXT_OR_LIST,
                "run_id": _TEXT_OR_LIST,
                "source_path": _TEXT,
                "version_number": _NUMBER_OF_VERSION,
            },
        ),
        Family(entity=Entity.TAG, prefixes=("tags", "tag"), rule=_TEXT, orders=False),
    ),
)
MODEL_VERSION_ORDERS = Grammar(
    noun="model versions",
    families=(
        Family(
            entity=Entity.ATTRIBUTE,
            prefixes=("attribute",),
            needs_prefix=False,
            rule=dict.fromkeys(
                ("name", "version_number", "creation_timestamp", "last_updated_timestamp"), _ONLY_ORDERS
            ),
        ),
    ),
)
"""In the registry, other attributes order than those that are compared."""
