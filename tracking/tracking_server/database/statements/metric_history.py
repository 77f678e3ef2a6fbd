"""All points of a metric: of one run in pages, of many runs cut off, of many runs thinned out."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, Select, bindparam, func, or_, select

from tracking_server.database.schema import metrics
from tracking_server.database.statements.keyset import is_after

_ORDER = (metrics.c.timestamp, metrics.c.step, metrics.c.value, metrics.c.is_nan)
_IN_STEPS = (metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.is_nan)
_LIMIT = bindparam("max_results", type_=Integer)

SELECT_OF_RUN = (
    select(metrics.c.key, metrics.c.value, metrics.c.timestamp, metrics.c.step, metrics.c.is_nan)
    .where(metrics.c.run_uuid == bindparam("run_id"), metrics.c.key == bindparam("metric_key"))
    .order_by(*_ORDER)
)
SELECT_FIRST_PAGE = SELECT_OF_RUN.limit(_LIMIT)
SELECT_NEXT_PAGE = SELECT_OF_RUN.where(
    is_after(
        _ORDER,
        (
            bindparam("after_timestamp", type_=BigInteger),
            bindparam("after_step", type_=BigInteger),
            bindparam("after_value", type_=metrics.c.value.type),
            bindparam("after_is_nan", type_=Boolean),
        ),
    )
).limit(_LIMIT)

_of_runs = select(
    metrics.c.key, metrics.c.value, metrics.c.timestamp, metrics.c.step, metrics.c.is_nan, metrics.c.run_uuid
).where(metrics.c.run_uuid.in_(bindparam("run_ids", expanding=True)), metrics.c.key == bindparam("metric_key"))

SELECT_OF_RUNS = _of_runs.order_by(metrics.c.run_uuid, *_ORDER).limit(_LIMIT)


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
