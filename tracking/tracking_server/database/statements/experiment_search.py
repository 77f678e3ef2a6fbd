"""The search of experiments: one statement for a page of them. Their tags are loaded afterwards, by id."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, select

from tracking_server.database.schema import experiment_tags, experiments
from tracking_server.database.statements.conditions import (
    filter_matches,
    id_matches,
    number_matches,
    text_equals,
    text_matches,
)
from tracking_server.database.statements.experiments import COLUMNS
from tracking_server.database.statements.paging import (
    PageQuery,
    Selected,
    SortKey,
    check_page_size,
    query_hash,
    select_page,
)
from tracking_server.entities.experiments import DEFAULT_WORKSPACE, SearchExperiments
from tracking_server.search.grammars import EXPERIMENTS
from tracking_server.search.parser import parse_filter, parse_order_by
from tracking_server.search.tree import Comparator, Comparison, Entity, Identifier, Ordering

MOST_RESULTS: Final = 50_000

_ATTRIBUTES: Final[Mapping[str, ColumnElement[Any]]] = {
    "name": experiments.c.name,
    "experiment_id": experiments.c.experiment_id,
    "creation_time": experiments.c.creation_time,
    "last_update_time": experiments.c.last_update_time,
}
_TIMES: Final = frozenset({"creation_time", "last_update_time"})
_CREATION_TIME: Final = Identifier(entity=Entity.ATTRIBUTE, key="creation_time")
_EXPERIMENT_ID: Final = Identifier(entity=Entity.ATTRIBUTE, key="experiment_id")


def select_experiment_page(request: SearchExperiments, dialect: str) -> PageQuery:
    """Its rows have the columns of `statements.experiments.COLUMNS`.

    Raises InvalidParameter for a filter, an order, a page size or a token that cannot be.
    """
    check_page_size(request.max_results, MOST_RESULTS)
    tree = parse_filter(request.filter, EXPERIMENTS)
    orderings = _total(parse_order_by(request.order_by, EXPERIMENTS))
    stages = request.view_type.stages
    statement: Selected = select(*COLUMNS).where(
        experiments.c.workspace == DEFAULT_WORKSPACE,
        experiments.c.lifecycle_stage.in_(stages),
        filter_matches(tree, lambda comparison: _comparison_holds(comparison, dialect)),
    )
    return select_page(
        statement,
        [_sort_key(ordering) for ordering in orderings],
        size=request.max_results,
        token=request.page_token,
        query=query_hash("experiments", stages, request.filter, request.order_by),
        dialect=dialect,
    )


def _comparison_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    key, comparator, value = comparison.identifier.key, comparison.comparator, comparison.value
    match comparison.identifier.entity:
        case Entity.ATTRIBUTE if key == "experiment_id":
            return id_matches(experiments.c.experiment_id, comparator, value, dialect)
        case Entity.ATTRIBUTE if key in _TIMES:
            return number_matches(_ATTRIBUTES[key], comparator, value)
        case Entity.ATTRIBUTE:
            return text_matches(_ATTRIBUTES[key], comparator, value, dialect)
        case Entity.TAG:
            return _tag_holds(comparison, dialect)
        case Entity.METRIC | Entity.PARAM | Entity.DATASET as entity:
            raise AssertionError(f"the grammar has no {entity.value}")


def _tag_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    entry = and_(
        experiment_tags.c.experiment_id == experiments.c.experiment_id,
        text_equals(experiment_tags.c.key, comparison.identifier.key, dialect),
    )
    value = experiment_tags.c.value
    match comparison.comparator:
        case Comparator.IS_NULL:
            return ~exists().where(entry, value.is_not(None))
        case Comparator.IS_NOT_NULL:
            return exists().where(entry, value.is_not(None))
        case _:
            return exists().where(entry, text_matches(value, comparison.comparator, comparison.value, dialect))


def _total(orderings: Sequence[Ordering]) -> Sequence[Ordering]:
    """The newest first, unless an order is given; then the newest id decides between equals, as in MLflow's server."""
    if not orderings:
        return [Ordering(identifier=_CREATION_TIME, descending=True), Ordering(identifier=_EXPERIMENT_ID)]
    if any(ordering.identifier == _EXPERIMENT_ID for ordering in orderings):
        return orderings
    return [*orderings, Ordering(identifier=_EXPERIMENT_ID, descending=True)]


def _sort_key(ordering: Ordering) -> SortKey:
    key = ordering.identifier.key
    return SortKey(
        column=_ATTRIBUTES[key],
        kind=str if key == "name" else int,
        descending=ordering.descending,
        is_nullable=key in _TIMES,
    )
