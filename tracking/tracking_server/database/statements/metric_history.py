"""All points of a metric: of one run in pages, of many runs cut off, of many runs thinned out."""

from typing import Any

from sqlalchemy import Integer, Select, bindparam, case, func, or_, select

from tracking_server.database.schema import metrics
from tracking_server.database.statements.lists import one_of
from tracking_server.database.statements.paging import PageQuery, SortKey, query_hash, select_page
from tracking_server.entities.metrics import GetMetricHistory

_ORDER = (metrics.c.timestamp, metrics.c.step, metrics.c.value, metrics.c.is_nan)
_IN_STEPS = (metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.is_nan)
_LIMIT = bindparam("max_results", type_=Integer)

_of_run = select(metrics.c.key, metrics.c.value, metrics.c.timestamp, metrics.c.step, metrics.c.is_nan).where(
    metrics.c.run_uuid == bindparam("run_id"), metrics.c.key == bindparam("metric_key")
)
SELECT_OF_RUN = _of_run.order_by(*_ORDER)

_of_runs = select(
    metrics.c.key, metrics.c.value, metrics.c.timestamp, metrics.c.step, metrics.c.is_nan, metrics.c.run_uuid
).where(one_of(metrics.c.run_uuid, "run_ids"), metrics.c.key == bindparam("metric_key"))

SELECT_OF_RUNS = _of_runs.order_by(metrics.c.run_uuid, *_ORDER).limit(_LIMIT)


def select_history_page(request: GetMetricHistory, max_results: int, dialect: str) -> PageQuery:
    """A page of SELECT_OF_RUN; the parameters are `run_id` and `metric_key`, as there."""
    return select_page(
        _of_run,
        [
            SortKey(column=metrics.c.timestamp, kind=int),
            SortKey(column=metrics.c.step, kind=int),
            SortKey(column=metrics.c.value, kind=float),
            SortKey(column=case((metrics.c.is_nan, 1), else_=0), kind=int),
        ],
        size=max_results,
        token=request.page_token,
        query=query_hash("history", request.run_id, request.metric_key),
        dialect=dialect,
    )


def _thinned(points: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Of each run the first point of each of `max_results` equal buckets, and the last point of all."""
    bucketed = points.add_columns(
        func.ntile(_LIMIT).over(partition_by=metrics.c.run_uuid, order_by=_IN_STEPS).label("bucket"),
        func.row_number().over(partition_by=metrics.c.run_uuid, order_by=_IN_STEPS).label("place"),
        func.count().over(partition_by=metrics.c.run_uuid).label("total"),
    ).subquery("bucketed")
    placed = select(
        bucketed,
        func.row_number()
        .over(partition_by=(bucketed.c.run_uuid, bucketed.c.bucket), order_by=bucketed.c.place)
        .label("place_in_bucket"),
    ).subquery("placed")
    return (
        select(placed.c.key, placed.c.value, placed.c.timestamp, placed.c.step, placed.c.is_nan, placed.c.run_uuid)
        .where(or_(placed.c.place_in_bucket == 1, placed.c.place == placed.c.total))
        .order_by(placed.c.run_uuid, placed.c.place)
    )


SELECT_THINNED = _thinned(_of_runs)
SELECT_THINNED_BETWEEN_STEPS = _thinned(
    _of_runs.where(metrics.c.step >= bindparam("start_step"), metrics.c.step <= bindparam("end_step"))
)
"""At most one point too many a run, the last but one: see `services.metrics`."""
