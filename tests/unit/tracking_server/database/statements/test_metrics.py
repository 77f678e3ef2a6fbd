"""Points as the database holds them, and which of them are the latest."""

import math
import sys
from collections.abc import Mapping

import pytest

from tracking_server.database.statements.metrics import (
    Point,
    insert_model_points,
    insert_points,
    latest_points,
    stored_value,
)
from tracking_server.entities.metrics import NewMetric


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1.5, (1.5, False)),
        (math.nan, (0.0, True)),
        (math.inf, (sys.float_info.max, False)),
        (-math.inf, (-sys.float_info.max, False)),
    ],
)
def test_values_without_a_place_in_a_column(value: float, stored: tuple[float, bool]) -> None:
    assert stored_value(value) == stored


def a_point(key: str = "m", step: int = 0, timestamp: int = 0, value: float = 0.0, *, is_nan: bool = False) -> Point:
    return Point(key, timestamp, step, value, is_nan)


@pytest.mark.parametrize(
    ("points", "latest"),
    [
        pytest.param([a_point(step=1), a_point(step=2)], 1, id="step"),
        pytest.param([a_point(step=2), a_point(step=1, timestamp=9, value=9)], 0, id="step-before-all"),
        pytest.param([a_point(timestamp=2), a_point(timestamp=1, value=9)], 0, id="time-before-value"),
        pytest.param([a_point(value=1), a_point(value=2)], 1, id="value"),
        pytest.param([a_point(is_nan=True), a_point()], 0, id="the-first-of-equals"),
    ],
)
def test_the_latest_point_is_the_greatest_by_step_time_and_value(points: list[Point], latest: int) -> None:
    assert latest_points(points) == [points[latest]]


def test_there_is_one_latest_point_a_key_sorted_by_key() -> None:
    points = [a_point("b"), a_point("a", step=1), a_point("a", step=2), a_point("B")]
    assert [(point.key, point.step) for point in latest_points(points)] == [("B", 0), ("a", 2), ("b", 0)]


def test_rows_are_sorted_by_key_so_that_writers_do_not_lock_crosswise() -> None:
    metrics = [NewMetric(key=key, value=1, timestamp=time) for key, time in (("b", 1), ("a", 2), ("a", 1))]
    points, latest = insert_points("sqlite", "r", metrics)
    assert not isinstance(points.parameters, Mapping)
    assert not isinstance(latest.parameters, Mapping)
    assert [(row["key"], row["timestamp"]) for row in points.parameters] == [("a", 1), ("a", 2), ("b", 1)]
    assert [(row["key"], row["timestamp"]) for row in latest.parameters] == [("a", 2), ("b", 1)]


def test_postgresql_gets_points_and_latest_points_in_one_statement() -> None:
    metrics = [NewMetric(key="a", value=value, timestamp=1) for value in (1.0, math.nan)]
    (both,) = insert_points("postgresql", "r", metrics)
    assert both.parameters == {
        "key": ["a", "a"],
        "timestamp": [1, 1],
        "step": [0, 0],
        "value": [0.0, 1.0],
        "is_nan": [True, False],
        "latest_key": ["a"],
        "latest_timestamp": [1],
        "latest_step": [0],
        "latest_value": [1.0],
        "latest_is_nan": [False],
        "run_uuid": "r",
    }


def test_points_of_models_leave_out_the_dataset_that_they_do_not_have() -> None:
    metric = NewMetric(key="a", value=1, timestamp=1, model_id="m")
    assert insert_model_points("sqlite", "r", 5, [metric]).parameters == [
        {
            "model_id": "m",
            "metric_name": "a",
            "metric_timestamp_ms": 1,
            "metric_step": 0,
            "metric_value": 1.0,
            "dataset_name": None,
            "dataset_digest": None,
            "run_id": "r",
            "experiment_id": 5,
        }
    ]
