"""The search of runs: one statement for a page of them. What each run holds is loaded afterwards, by its id."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, false, or_, select, true
from sqlalchemy.sql.selectable import FromClause

from tracking_server.database.schema import datasets, input_tags, inputs, latest_metrics, params, runs, tags
from tracking_server.database.statements.conditions import (
    filter_matches,
    number_matches,
    storable_ids,
    text_equals,
    text_matches,
)
from tracking_server.database.statements.paging import (
    MOST_STREAMS,
    PageQuery,
    Selected,
    SortKey,
    check_page_size,
    query_hash,
    select_page,
)
from tracking_server.database.statements.runs import COLUMNS
from tracking_server.entities.runs import SearchRuns
from tracking_server.entities.tags import RUN_NAME_TAG
from tracking_server.search.grammars import RUNS
from tracking_server.search.parser import parse_filter, parse_order_by
from tracking_server.search.tree import Comparator, Comparison, Entity, Identifier, Ordering

MOST_RESULTS: Final = 50_000

CONTEXT_TAG: Final = "mlflow.data.context"

_ATTRIBUTES: Final[Mapping[str, ColumnElement[Any]]] = {
    "run_id": runs.c.run_uuid,
    "run_name": runs.c.name,
    "status": runs.c.status,
    "user_id": runs.c.user_id,
    "artifact_uri": runs.c.artifact_uri,
    "start_time": runs.c.start_time,
    "end_time": runs.c.end_time,
}
_TIMES: Final = frozenset({"start_time", "end_time"})
_START_TIME: Final = Identifier(entity=Entity.ATTRIBUTE, key="start_time")
_RUN_ID: Final = Identifier(entity=Entity.ATTRIBUTE, key="run_id")
_NEWEST_FIRST: Final = [Ordering(identifier=_START_TIME, descending=True), Ordering(identifier=_RUN_ID)]


def select_run_page(request: SearchRuns, experiment_ids: Sequence[int], dialect: str) -> PageQuery:
    """Its rows have the columns of `statements.runs.COLUMNS`. `experiment_ids` are those of the request, as numbers.

    Raises InvalidParameter for a filter, an order, a page size or a token that cannot be.
    """
    check_page_size(request.max_results, MOST_RESULTS)
    tree = parse_filter(request.filter, RUNS)
    orderings = _total(parse_order_by(request.order_by, RUNS))
    stages = request.run_view_type.stages
    source: FromClause = runs
    keys: list[SortKey] = []
    for ordering in orderings:
        source, more_keys = _sorted_by(ordering, source, dialect)
        keys += more_keys
    statement: Selected = (
        select(*COLUMNS)
        .select_from(source)
        .where(
            runs.c.experiment_id.in_(storable_ids(experiment_ids, dialect)),
            runs.c.lifecycle_stage.in_(stages),
            filter_matches(tree, lambda comparison: _comparison_holds(comparison, dialect)),
        )
    )
    return select_page(
        statement,
        keys,
        size=request.max_results,
        token=request.page_token,
        query=query_hash("runs", sorted(experiment_ids), stages, request.filter, request.order_by),
        dialect=dialect,
        streams=_streams(orderings, experiment_ids, stages, dialect),
    )


def _streams(
    orderings: Sequence[Ordering], experiment_ids: Sequence[int], stages: Sequence[str], dialect: str
) -> Sequence[ColumnElement[bool]]:
    """The runs of an experiment in a stage: `trackplane_runs_by_experiment` has each in the order of the newest first.

    None for another order, and for more than are worth a part of the statement each.
    """
    if list(orderings) != _NEWEST_FIRST:
        return ()
    pairs = [(number, stage) for number in storable_ids(dict.fromkeys(experiment_ids), dialect) for stage in stages]
    if len(pairs) > MOST_STREAMS:
        return ()
    return [and_(runs.c.experiment_id == number, runs.c.lifecycle_stage == stage) for number, stage in pairs]


# The filter: a condition on the row of a run


def _comparison_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    key = comparison.identifier.key
    match comparison.identifier.entity:
        case Entity.METRIC:
            return _metric_holds(comparison, dialect)
        case Entity.PARAM:
            return _text_holds(params, key, comparison, dialect)
        case Entity.TAG:
            return _text_holds(tags, key, comparison, dialect)
        case Entity.DATASET:
            return _dataset_holds(comparison, dialect)
        case Entity.ATTRIBUTE:
            return _attribute_holds(comparison, dialect)


def _attribute_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    """The name is looked for in its tag, as MLflow's server does: the oldest runs have it there alone."""
    key, comparator, value = comparison.identifier.key, comparison.comparator, comparison.value
    if key == "run_name":
        return _text_holds(tags, RUN_NAME_TAG, comparison, dialect)
    if key in _TIMES:
        return number_matches(_ATTRIBUTES[key], comparator, value)
    return text_matches(_ATTRIBUTES[key], comparator, value, dialect)


def _metric_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    """NaN is unequal to every number, and otherwise compares with none."""
    matches = number_matches(latest_metrics.c.value, comparison.comparator, comparison.value)
    is_nan = latest_metrics.c.is_nan == true()
    unequal = comparison.comparator is Comparator.NOT_EQUAL
    return exists().where(
        latest_metrics.c.run_uuid == runs.c.run_uuid,
        text_equals(latest_metrics.c.key, comparison.identifier.key, dialect),
        or_(is_nan, matches) if unequal else and_(latest_metrics.c.is_nan == false(), matches),
    )


def _text_holds(table: FromClause, key: str, comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    """`table` is `params` or `tags`: a key and a value of a run in each row."""
    entry = and_(table.c.run_uuid == runs.c.run_uuid, text_equals(table.c.key, key, dialect))
    match comparison.comparator:
        case Comparator.IS_NULL:
            return ~exists().where(entry, table.c.value.is_not(None))
        case Comparator.IS_NOT_NULL:
            return exists().where(entry, table.c.value.is_not(None))
        case _:
            return exists().where(entry, text_matches(table.c.value, comparison.comparator, comparison.value, dialect))


def _dataset_holds(comparison: Comparison, dialect: str) -> ColumnElement[bool]:
    """Some dataset that the run read, or the context in which it read one, holds the comparison."""
    if comparison.identifier.key == "context":
        column: ColumnElement[Any] = input_tags.c.value
        joined = and_(input_tags.c.input_uuid == inputs.c.input_uuid, input_tags.c.name == CONTEXT_TAG)
    else:
        column = {"name": datasets.c.name, "digest": datasets.c.digest}[comparison.identifier.key]
        joined = datasets.c.dataset_uuid == inputs.c.source_id
    return exists().where(
        inputs.c.destination_type == "RUN",
        inputs.c.destination_id == runs.c.run_uuid,
        inputs.c.source_type == "DATASET",
        joined,
        text_matches(column, comparison.comparator, comparison.value, dialect),
    )


# The order


def _total(orderings: Sequence[Ordering]) -> Sequence[Ordering]:
    """What MLflow's server adds: the newest first, then the id; what stands behind the id decides nothing."""
    named = {ordering.identifier for ordering in orderings}
    latest = [] if _START_TIME in named else [Ordering(identifier=_START_TIME, descending=True)]
    complete = [*orderings, *latest, Ordering(identifier=_RUN_ID)]
    end = next(index for index, ordering in enumerate(complete) if ordering.identifier == _RUN_ID)
    return complete[: end + 1]


def _sorted_by(ordering: Ordering, source: FromClause, dialect: str) -> tuple[FromClause, Sequence[SortKey]]:
    """`source`, joined with what the order needs, and the keys. At most one row of a run has the key of a metric."""
    key, descending = ordering.identifier.key, ordering.descending
    match ordering.identifier.entity:
        case Entity.ATTRIBUTE:
            kind = int if key in _TIMES else str
            column = _ATTRIBUTES[key]
            return source, [SortKey(column=column, kind=kind, descending=descending, is_nullable=key != "run_id")]
        case Entity.METRIC:
            latest = latest_metrics.alias()
            number = case((latest.c.is_nan == true(), None), else_=latest.c.value)
            rank = case((latest.c.run_uuid.is_(None), 2), (latest.c.is_nan == true(), 1), else_=0)
            return _joined(source, latest, key, dialect), [
                SortKey(column=rank, kind=int),
                SortKey(column=number, kind=float, descending=descending, is_nullable=True),
            ]
        case Entity.PARAM | Entity.TAG as entity:
            entry = params.alias() if entity is Entity.PARAM else tags.alias()
            value = SortKey(column=entry.c.value, kind=str, descending=descending, is_nullable=True)
            return _joined(source, entry, key, dialect), [value]
        case Entity.DATASET:
            raise AssertionError("the grammar orders by no dataset")


def _joined(source: FromClause, entries: FromClause, key: str, dialect: str) -> FromClause:
    matches = and_(entries.c.run_uuid == runs.c.run_uuid, text_equals(entries.c.key, key, dialect))
    return source.outerjoin(entries, matches)
