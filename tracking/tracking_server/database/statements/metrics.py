"""Metric points, the latest point of each key, and their reading."""

import math
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, exists, select

from tracking_server.database.schema import latest_metrics, logged_model_metrics, metrics, runs
from tracking_server.database.statements.bulk_insert import BulkInsert, Prepared, columnar, postgresql_insert
from tracking_server.database.statements.lists import one_of
from tracking_server.entities.metrics import NewMetric

_points = (metrics.c.key, metrics.c.timestamp, metrics.c.step, metrics.c.value, metrics.c.is_nan)
_latest = (
    latest_metrics.c.key,
    latest_metrics.c.timestamp,
    latest_metrics.c.step,
    latest_metrics.c.value,
    latest_metrics.c.is_nan,
)
_overwritten = (latest_metrics.c.timestamp, latest_metrics.c.step, latest_metrics.c.value, latest_metrics.c.is_nan)
_newer_by = (latest_metrics.c.step, latest_metrics.c.timestamp, latest_metrics.c.value)
_names = tuple(each.name for each in _points)
_latest_names = tuple(f"latest_{name}" for name in _names)

_POINTS = BulkInsert(_points, same=[metrics.c.run_uuid])
_LATEST = BulkInsert(_latest, same=[latest_metrics.c.run_uuid], replace=_overwritten, newer_by=_newer_by)
_run_is_active = exists().where(runs.c.run_uuid == bindparam("run_uuid"), runs.c.lifecycle_stage == "active")
_ALL_ON_POSTGRESQL = (
    select(runs.c.lifecycle_stage, runs.c.experiment_id)
    .where(runs.c.run_uuid == bindparam("run_uuid"))
    .add_cte(postgresql_insert(_points, [metrics.c.run_uuid], only_if=_run_is_active).cte("points"))
    .add_cte(
        postgresql_insert(
            _latest,
            [latest_metrics.c.run_uuid],
            _overwritten,
            _newer_by,
            prefix="latest_",
            only_if=_run_is_active,
        ).cte("latest")
    )
)
"""Points and latest points in one round trip, and only of an active run; the row is that of `runs.SELECT_STAGE`."""

_MODEL_POINTS = BulkInsert(
    [
        logged_model_metrics.c.model_id,
        logged_model_metrics.c.metric_name,
        logged_model_metrics.c.metric_timestamp_ms,
        logged_model_metrics.c.metric_step,
        logged_model_metrics.c.metric_value,
        logged_model_metrics.c.dataset_name,
        logged_model_metrics.c.dataset_digest,
    ],
    same=[logged_model_metrics.c.run_id, logged_model_metrics.c.experiment_id],
)

SELECT_LATEST_OF_RUNS = select(
    latest_metrics.c.run_uuid,
    latest_metrics.c.key,
    latest_metrics.c.value,
    latest_metrics.c.timestamp,
    latest_metrics.c.step,
    latest_metrics.c.is_nan,
).where(one_of(latest_metrics.c.run_uuid, "run_ids"))

SELECT_OF_MODELS = select(
    logged_model_metrics.c.model_id,
    logged_model_metrics.c.metric_name,
    logged_model_metrics.c.metric_value,
    logged_model_metrics.c.metric_timestamp_ms,
    logged_model_metrics.c.metric_step,
    logged_model_metrics.c.dataset_name,
    logged_model_metrics.c.dataset_digest,
    logged_model_metrics.c.run_id,
).where(one_of(logged_model_metrics.c.model_id, "model_ids"))


class Point(NamedTuple):
    """A metric point as the database holds it: NaN is 0 with a mark, infinities are the largest doubles."""

    key: str
    timestamp: int
    step: int
    value: float
    is_nan: bool


def point_of(metric: NewMetric) -> Point:
    value, is_nan = stored_value(metric.value)
    return Point(metric.key, metric.timestamp, metric.step, value, is_nan)


def stored_value(value: float) -> tuple[float, bool]:
    if math.isnan(value):
        return 0.0, True
    return max(-sys.float_info.max, min(sys.float_info.max, value)), False


def latest_points(points: Iterable[Point]) -> list[Point]:
    """Of each key the greatest by (step, timestamp, value), sorted by key; of equal ones the first."""
    latest: dict[str, Point] = {}
    for point in points:
        known = latest.get(point.key)
        if known is None or (point.step, point.timestamp, point.value) > (known.step, known.timestamp, known.value):
            latest[point.key] = point
    return sorted(latest.values())


def insert_points(dialect: str, run_id: str, given: Sequence[NewMetric]) -> tuple[Prepared, ...]:
    """Points that exist are left alone; the latest points change where a newer one comes.

    On PostgreSQL it is one statement. It looks at the run itself, and answers with the row of `runs.SELECT_STAGE`.
    """
    points = [point_of(metric) for metric in given]
    latest = latest_points(points)
    points.sort()
    if dialect == "postgresql":
        parameters = {**columnar(_names, points), **columnar(_latest_names, latest), "run_uuid": run_id}
        return (Prepared(_ALL_ON_POSTGRESQL, parameters),)
    return (
        _POINTS.prepare(dialect, points, run_uuid=run_id),
        _LATEST.prepare(dialect, latest, run_uuid=run_id),
    )


def insert_model_points(dialect: str, run_id: str, experiment_id: int, given: Iterable[NewMetric]) -> Prepared:
    """The points that name a logged model, a second time with that model. NaN is 0 here, without a mark."""
    rows = [
        (
            metric.model_id,
            metric.key,
            metric.timestamp,
            metric.step,
            stored_value(metric.value)[0],
            metric.dataset_name or None,
            metric.dataset_digest or None,
        )
        for metric in sorted(given, key=lambda metric: (metric.model_id, metric.key, metric.timestamp, metric.step))
    ]
    return _MODEL_POINTS.prepare(dialect, rows, run_id=run_id, experiment_id=experiment_id)
