"""The search of logged models: one statement for a page of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, or_, select

from tracking_server.database.schema import logged_model_metrics, logged_model_params, logged_model_tags, logged_models
from tracking_server.database.statements.conditions import (
    filter_matches,
    id_matches,
    number_matches,
    storable_ids,
    text_equals,
    text_matches,
)
from tracking_server.database.statements.logged_models import COLUMNS
from tracking_server.database.statements.paging import (
    MOST_STREAMS,
    PageQuery,
    Selected,
    SortKey,
    query_hash,
    select_page,
)
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.logged_models import DatasetFilter, LoggedModelOrder, SearchLoggedModels
from tracking_server.errors import InvalidParameter
from tracking_server.search.grammars import LOGGED_MODELS
from tracking_server.search.parser import check_orderings, parse_filter
from tracking_server.search.tree import Comparison, Entity, comparisons_of

MOST_RESULTS: Final = 50_000
"""More are answered in pages of this size."""
_RESULTS_FOR_ZERO: Final = 100
_METRICS: Final = "metrics."

_created = SortKey(column=logged_models.c.creation_timestamp_ms, kind=int, descending=True)
_model_id = SortKey(column=logged_models.c.model_id, kind=str)

_ATTRIBUTES: Final[Mapping[str, tuple[ColumnElement[Any], type[int] | type[str]]]] = {
    "name": (logged_models.c.name, str),
    "model_id": (logged_models.c.model_id, str),
    "model_type": (logged_models.c.model_type, str),
    "source_run_id": (logged_models.c.source_run_id, str),
    "experiment_id": (logged_models.c.experiment_id, int),
    "lifecycle_stage": (logged_models.c.lifecycle_stage, str),
    "artifact_location": (logged_models.c.artifact_location, str),
    "status_message": (logged_models.c.status_message, str),
    "status": (logged_models.c.status, int),
    "creation_timestamp_ms": (logged_models.c.creation_timestamp_ms, int),
    "creation_timestamp": (logged_models.c.creation_timestamp_ms, int),
    "creation_time": (logged_models.c.creation_timestamp_ms, int),
    "last_updated_timestamp_ms": (logged_models.c.last_updated_timestamp_ms, int),
    "last_updated_timestamp": (logged_models.c.last_updated_timestamp_ms, int),
}

_EQUAL_OR_NOT: Final = frozenset({"experiment_id", "status"})


def select_logged_model_page(request: SearchLoggedModels, experiment_ids: Sequence[int], dialect: str) -> PageQuery:
    """Its rows have the columns of `statements.logged_models.COLUMNS`.

    Raises InvalidParameter for a filter, an order, a page size or a token that cannot be.
    """
    tree = parse_filter(request.filter, LOGGED_MODELS)
    check_orderings(request.order_by)
    if request.max_results < 0:
        raise InvalidParameter(
            f"Invalid value {request.max_results} for parameter 'max_results' supplied: it must not be negative."
        )
    statement: Selected = select(*COLUMNS).where(
        logged_models.c.experiment_id.in_(storable_ids(experiment_ids, dialect)),
        logged_models.c.lifecycle_stage == LifecycleStage.ACTIVE,
        filter_matches(tree, lambda comparison: _comparison_holds(comparison, request.datasets, dialect)),
    )
    if request.datasets and not any(_is_of_metric(comparison) for comparison in comparisons_of(tree)):
        statement = statement.where(_has_point(request.datasets, dialect))
    return select_page(
        statement,
        [*(_sort_key(order, dialect) for order in request.order_by), _created, _model_id],
        size=min(request.max_results or _RESULTS_FOR_ZERO, MOST_RESULTS),
        token=request.page_token,
        query=query_hash("logged models", sorted(experiment_ids), request.filter, request.datasets, request.order_by),
        dialect=dialect,
        streams=() if request.order_by else _newest_first(experiment_ids, dialect),
    )


def _newest_first(experiment_ids: Sequence[int], dialect: str) -> Sequence[ColumnElement[bool]]:
    """The models of one experiment each: `trackplane_logged_models_by_experiment` has them by their time."""
    ids = storable_ids(dict.fromkeys(experiment_ids), dialect)
    return [logged_models.c.experiment_id == number for number in ids] if len(ids) <= MOST_STREAMS else ()


# The filter: a condition on the row of a model


def _comparison_holds(
    comparison: Comparison, narrowed_to: Sequence[DatasetFilter], dialect: str
) -> ColumnElement[bool]:
    key, comparator, value = comparison.identifier.key, comparison.comparator, comparison.value
    match comparison.identifier.entity:
        case Entity.METRIC:
            return _metric_holds(comparison, narrowed_to, dialect)
        case Entity.PARAM:
            param = logged_model_params.c
            return exists().where(
                param.model_id == logged_models.c.model_id,
                text_equals(param.param_key, key, dialect),
                text_matches(param.param_value, comparator, value, dialect),
            )
        case Entity.TAG:
            tag = logged_model_tags.c
            return exists().where(
                tag.model_id == logged_models.c.model_id,
                text_equals(tag.tag_key, key, dialect),
                text_matches(tag.tag_value, comparator, value, dialect),
            )
        case Entity.ATTRIBUTE:
            column, kind = _ATTRIBUTES[key]
            if key in _EQUAL_OR_NOT:
                return id_matches(column, comparator, value, dialect)
            if kind is int:
                return number_matches(column, comparator, value)
            return text_matches(column, comparator, value, dialect)
        case Entity.DATASET:
            raise AssertionError("the grammar compares no dataset")


def _is_of_metric(comparison: Comparison) -> bool:
    return comparison.identifier.entity is Entity.METRIC


def _metric_holds(comparison: Comparison, narrowed_to: Sequence[DatasetFilter], dialect: str) -> ColumnElement[bool]:
    """Any point that was logged, of one of the datasets if there are some."""
    point = logged_model_metrics.c
    return _has_point(
        narrowed_to,
        dialect,
        text_equals(point.metric_name, comparison.identifier.key, dialect),
        number_matches(point.metric_value, comparison.comparator, comparison.value),
    )


def _has_point(
    narrowed_to: Sequence[DatasetFilter], dialect: str, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    for_datasets = [or_(*(_logged_for(dataset, dialect) for dataset in narrowed_to))] if narrowed_to else []
    return exists().where(logged_model_metrics.c.model_id == logged_models.c.model_id, *conditions, *for_datasets)


def _logged_for(dataset: DatasetFilter, dialect: str) -> ColumnElement[bool]:
    """A dataset without a digest is meant whatever its digest is."""
    named = text_equals(logged_model_metrics.c.dataset_name, dataset.dataset_name, dialect)
    if not dataset.dataset_digest:
        return named
    return and_(named, text_equals(logged_model_metrics.c.dataset_digest, dataset.dataset_digest, dialect))


# The order


def _sort_key(order: LoggedModelOrder, dialect: str) -> SortKey:
    descending = not order.ascending
    if order.field_name.startswith(_METRICS):
        return SortKey(column=_latest_value(order, dialect), kind=float, descending=descending, is_nullable=True)
    attribute = _ATTRIBUTES.get(order.field_name.removeprefix("attributes."))
    if attribute is None:
        raise InvalidParameter(
            f"Invalid order by field name: {order.field_name}. It must be metrics.<name> or one of"
            f" {', '.join(_ATTRIBUTES)}."
        )
    column, kind = attribute
    return SortKey(column=column, kind=kind, descending=descending, is_nullable=True)


def _latest_value(order: LoggedModelOrder, dialect: str) -> ColumnElement[float | None]:
    """Of the last point of the metric, by timestamp and step; of one dataset if one is named."""
    point = logged_model_metrics.c
    conditions = [text_equals(point.metric_name, order.field_name.removeprefix(_METRICS), dialect)]
    if order.dataset_name:
        conditions.append(text_equals(point.dataset_name, order.dataset_name, dialect))
    if order.dataset_digest:
        conditions.append(text_equals(point.dataset_digest, order.dataset_digest, dialect))
    return (
        select(point.metric_value)
        .where(point.model_id == logged_models.c.model_id, *conditions)
        .order_by(point.metric_timestamp_ms.desc(), point.metric_step.desc(), point.run_id)
        .limit(1)
        .scalar_subquery()
    )
