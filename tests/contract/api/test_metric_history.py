"""Histories of metrics: 4.3 of the contract."""

import json
import tracemalloc

import pytest

from tests.support.api_calls import Api, Refusal
from tracking_server.entities.metrics import GetMetricHistory
from tracking_server.services.metrics import get_metric_history
from tracking_server.wire.encode import encode

BULK = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
INTERVAL = "metrics/get-history-bulk-interval"


def log(api: Api, run: str, steps: range, key: str = "m") -> None:
    metrics = [{"key": key, "value": step * 0.5, "timestamp": 1000 - step, "step": step} for step in steps]
    api.post("runs/log-batch", run_id=run, metrics=metrics)


def a_run(api: Api, experiment: str) -> str:
    return str(api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"])


def test_a_history_is_ordered_by_time_step_and_value(api: Api, run: str) -> None:
    points = [(3, 1, 5), (1, 2, 9), (1, 1, 8), (1, 1, 7)]
    metrics = [{"key": "m", "timestamp": time, "step": step, "value": value} for time, step, value in points]
    api.post("runs/log-batch", run_id=run, metrics=metrics)
    found = api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]
    assert [(metric["timestamp"], metric["step"], metric["value"]) for metric in found] == sorted(points)


def test_an_unknown_run_or_key_has_no_history(api: Api, run: str) -> None:
    assert api.get("metrics/get-history", run_id=run, metric_key="nope") == {}
    assert api.get("metrics/get-history", run_id="f" * 32, metric_key="m") == {}


def test_a_history_comes_in_pages_when_they_are_asked_for(api: Api, run: str) -> None:
    log(api, run, range(5))
    for time in (2000, 2000):
        api.post("runs/log-metric", run_id=run, key="m", value="NaN", timestamp=time)
    api.post("runs/log-metric", run_id=run, key="m", value=0, timestamp=2000)
    whole = api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]
    assert len(whole) == 7
    for size in (1, 2, 3, 7, 100):
        seen: list[object] = []
        token = ""
        while True:
            page = api.get("metrics/get-history", run_id=run, metric_key="m", max_results=str(size), page_token=token)
            assert len(page["metrics"]) <= size
            seen += page["metrics"]
            token = page.get("next_page_token", "")
            if not token:
                break
        assert seen == whole


def test_a_token_without_a_page_size_means_all_the_rest(api: Api, run: str) -> None:
    log(api, run, range(5))
    token = api.get("metrics/get-history", run_id=run, metric_key="m", max_results="2")["next_page_token"]
    rest = api.get("metrics/get-history", run_id=run, metric_key="m", page_token=token)
    assert [metric["step"] for metric in rest["metrics"]] == [2, 1, 0]
    assert "next_page_token" not in rest


def test_a_token_belongs_to_its_history(api: Api, run: str) -> None:
    log(api, run, range(3))
    token = api.get("metrics/get-history", run_id=run, metric_key="m", max_results="1")["next_page_token"]
    for query in ({"metric_key": "n", "page_token": token}, {"metric_key": "m", "page_token": "nonsense"}):
        with pytest.raises(Refusal, match="Invalid page token"):
            api.get("metrics/get-history", run_id=run, max_results="1", **query)


@pytest.mark.parametrize("max_results", ["0", "-1", "x"])
def test_a_page_has_at_least_one_point(api: Api, run: str, max_results: str) -> None:
    with pytest.raises(Refusal, match="max_results") as refused:
        api.get("metrics/get-history", run_id=run, metric_key="m", max_results=max_results)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_many_histories_are_cut_off_altogether(api: Api, experiment: str) -> None:
    runs = sorted(a_run(api, experiment) for _ in range(2))
    for run in runs:
        log(api, run, range(3))
    found = api.get(BULK, run_id=runs, metric_key="m", max_results="4")["metrics"]
    assert [(metric["run_id"], metric["step"]) for metric in found] == [
        (runs[0], 2),
        (runs[0], 1),
        (runs[0], 0),
        (runs[1], 2),
    ]
    assert found[0] == {"key": "m", "value": 1.0, "timestamp": 998, "step": 2, "run_id": runs[0]}


@pytest.mark.parametrize(
    ("points", "max_results", "steps"),
    [
        pytest.param(10, 1, [9], id="only-the-last"),
        pytest.param(10, 2, [0, 9], id="two"),
        pytest.param(10, 3, [0, 4, 9], id="the-last-replaces-the-last-kept"),
        pytest.param(10, 5, [0, 2, 4, 6, 9], id="five"),
        pytest.param(10, 9, [0, 2, 3, 4, 5, 6, 7, 8, 9], id="the-last-is-a-bucket-of-its-own"),
        pytest.param(10, 10, list(range(10)), id="all"),
        pytest.param(3, 2500, [0, 1, 2], id="fewer-than-asked-for"),
    ],
)
def test_an_interval_is_thinned_evenly_and_keeps_the_last_point(
    api: Api, run: str, points: int, max_results: int, steps: list[int]
) -> None:
    log(api, run, range(points))
    found = api.get(INTERVAL, run_ids=[run], metric_key="m", max_results=str(max_results))["metrics"]
    assert [metric["step"] for metric in found] == steps


def test_an_interval_has_ends_that_belong_to_it(api: Api, experiment: str) -> None:
    runs = [a_run(api, experiment) for _ in range(2)]
    for run in runs:
        log(api, run, range(10))
    query = {"metric_key": "m", "start_step": "3", "end_step": "5"}
    found = api.get(INTERVAL, run_ids=runs[::-1], **query)["metrics"]
    assert [(metric["run_id"], metric["step"]) for metric in found] == [
        (run, step) for run in runs[::-1] for step in (3, 4, 5)
    ]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"run_ids": ["r"] * 101}, id="runs"),
        pytest.param({"run_ids": ["r"], "max_results": "0"}, id="no-points"),
        pytest.param({"run_ids": ["r"], "max_results": "2501"}, id="too-many-points"),
        pytest.param({"run_ids": ["r"], "start_step": "1"}, id="half-an-interval"),
        pytest.param({"run_ids": ["r"], "start_step": "2", "end_step": "1"}, id="backwards"),
        pytest.param({}, id="no-runs"),
    ],
)
def test_limits_of_an_interval(api: Api, query: dict[str, str | list[str]]) -> None:
    with pytest.raises(Refusal) as refused:
        api.get(INTERVAL, metric_key="m", **query)
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")


def test_many_histories_may_have_no_points(api: Api, run: str) -> None:
    assert api.get(BULK, run_id=run, metric_key="nope") == {"metrics": []}
    log(api, run, range(3))
    assert api.get(BULK, run_id=run, metric_key="m", max_results="0") == {"metrics": []}


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"run_id": ["r"] * 101, "metric_key": "m"}, id="runs"),
        pytest.param({"metric_key": "m"}, id="no-runs"),
        pytest.param({"run_id": "r"}, id="no-key"),
        pytest.param({"run_id": "r", "metric_key": "m", "max_results": "-1"}, id="negative"),
    ],
)
def test_limits_of_many_histories(api: Api, query: dict[str, str | list[str]]) -> None:
    with pytest.raises(Refusal) as refused:
        api.get(BULK, **query)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_long_history_is_read_whole_and_takes_little_more_memory_than_its_text(api: Api, run: str) -> None:
    count = 60_000
    for start in range(0, count, 1000):
        points = [{"key": "m", "value": 0.5, "timestamp": 10**12 + n, "step": n} for n in range(start, start + 1000)]
        api.post("runs/log-batch", run_id=run, metrics=points)
    request = GetMetricHistory(run_id=run, metric_key="m")
    tracemalloc.start()
    text = encode(get_metric_history(request, api.context))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [metric["step"] for metric in json.loads(text)["metrics"]] == list(range(count))
    if api.context.database.dialect != "mysql":  # whose driver reads all rows before it gives the first
        assert peak < 4 * len(text)
