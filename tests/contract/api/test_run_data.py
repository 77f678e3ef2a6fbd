"""Metrics, params and tags of runs over the API: 3, 4.2 and 4.3 of the contract."""

import json
import sys
from typing import Any

import pytest

from tests.support.api_calls import Api, Refusal, an_api
from tracking_server.database.transactions import Database


def data_of(api: Api, run: str) -> dict[str, Any]:
    data: dict[str, Any] = api.get("runs/get", run_id=run)["run"]["data"]
    return data


def params_of(api: Api, run: str) -> dict[str, str]:
    return {param["key"]: param["value"] for param in data_of(api, run).get("params", [])}


def tags_of(api: Api, run: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in data_of(api, run).get("tags", [])}


def latest(api: Api, run: str, key: str = "m") -> tuple[float | str, int, int]:
    (found,) = [metric for metric in data_of(api, run)["metrics"] if metric["key"] == key]
    return found["value"], found["timestamp"], found["step"]


def history(api: Api, run: str, key: str = "m") -> list[tuple[float | str, int, int]]:
    found = api.get("metrics/get-history", run_id=run, metric_key=key).get("metrics", [])
    return [(metric["value"], metric["timestamp"], metric["step"]) for metric in found]


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        pytest.param([(1, 10, 0), (2, 20, 0)], (2.0, 20, 0), id="later-time"),
        pytest.param([(2, 20, 0), (1, 10, 0)], (2.0, 20, 0), id="not-the-last-written"),
        pytest.param([(1, 99, 1), (2, 1, 2)], (2.0, 1, 2), id="step-before-time"),
        pytest.param([(3, 5, 1), (9, 5, 1), (7, 5, 1)], (9.0, 5, 1), id="value-last"),
        pytest.param([(1, 5, -3), (2, 5, -7)], (1.0, 5, -3), id="negative-steps"),
        pytest.param([("NaN", 5, 1), (-1, 5, 1)], ("NaN", 5, 1), id="nan-counts-as-zero"),
        pytest.param([("NaN", 5, 1), (1, 5, 1)], (1.0, 5, 1), id="nan-below-one"),
        pytest.param([("Infinity", 5, 1), (1, 5, 1)], (sys.float_info.max, 5, 1), id="infinity"),
    ],
)
@pytest.mark.parametrize("in_one_batch", [False, True])
def test_the_latest_metric_is_the_greatest_by_step_time_and_value(
    api: Api,
    run: str,
    points: list[tuple[float | str, int, int]],
    expected: tuple[float | str, int, int],
    in_one_batch: bool,
) -> None:
    metrics = [{"key": "m", "value": value, "timestamp": time, "step": step} for value, time, step in points]
    if in_one_batch:
        api.post("runs/log-batch", run_id=run, metrics=metrics)
    else:
        for metric in metrics:
            api.post("runs/log-metric", run_id=run, **metric)
    assert latest(api, run) == expected
    assert len(history(api, run)) == len(points)


def test_the_same_point_is_stored_once(api: Api, run: str) -> None:
    point = {"key": "m", "value": 1.5, "timestamp": 3, "step": 2}
    api.post("runs/log-batch", run_id=run, metrics=[point, point])
    api.post("runs/log-metric", run_id=run, **point)
    assert history(api, run) == [(1.5, 3, 2)]


def test_infinities_come_back_as_the_largest_numbers(api: Api, run: str) -> None:
    for time, value in enumerate(["Infinity", "-Infinity", "NaN"]):
        api.post("runs/log-metric", run_id=run, key="m", value=value, timestamp=time)
    assert history(api, run) == [(sys.float_info.max, 0, 0), (-sys.float_info.max, 1, 0), ("NaN", 2, 0)]


def test_a_batch_is_all_or_nothing(api: Api, run: str) -> None:
    api.post("runs/log-parameter", run_id=run, key="p", value="1")
    with pytest.raises(Refusal, match="Changing param values is not allowed") as refused:
        api.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": "m", "value": 1, "timestamp": 1}],
            params=[{"key": "a", "value": "1"}, {"key": "p", "value": "2"}],
            tags=[{"key": "t", "value": "x"}],
        )
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert data_of(api, run).get("metrics") is None
    assert params_of(api, run) == {"p": "1"}
    assert "t" not in tags_of(api, run)


def test_what_the_database_refuses_takes_the_whole_batch_with_it(api: Api, run: str) -> None:
    metric = {"key": "m", "value": 1, "timestamp": 1, "model_id": "m-unknown"}
    with pytest.raises(Refusal) as refused:
        api.post("runs/log-batch", run_id=run, metrics=[metric], params=[{"key": "p", "value": "1"}])
    assert (refused.value.http_status, refused.value.error_code) == (400, "BAD_REQUEST")
    assert params_of(api, run) == {}
    assert history(api, run) == []


def test_a_param_is_written_once(api: Api, run: str) -> None:
    for _ in range(2):
        assert api.post("runs/log-parameter", run_id=run, key="p", value="1") == {}
    api.post("runs/log-batch", run_id=run, params=[{"key": "p", "value": "1"}, {"key": "q", "value": "2"}])
    with pytest.raises(Refusal) as refused:
        api.post("runs/log-parameter", run_id=run, key="p", value="2")
    assert refused.value.message == (
        "Changing param values is not allowed. Param with key='p' was already logged with value='1' for run"
        f" ID='{run}'. Attempted logging new value '2'."
    )
    with pytest.raises(Refusal) as refused:
        api.post("runs/log-batch", run_id=run, params=[{"key": "p", "value": "2"}, {"key": "r"}])
    assert refused.value.message == (
        "Changing param values is not allowed. Params were already logged='[{'key': 'p', 'old_value': '1', 'new_value':"
        f" '2'}}]' for run ID='{run}'."
    )
    assert params_of(api, run) == {"p": "1", "q": "2"}


def test_a_param_without_a_value_is_empty(api: Api, run: str) -> None:
    api.post("runs/log-parameter", run_id=run, key="p")
    api.post("runs/log-parameter", run_id=run, key="q", value=None)
    assert params_of(api, run) == {"p": "", "q": ""}


def test_long_values_are_cut_off_and_compare_so(api: Api, run: str) -> None:
    api.post("runs/log-parameter", run_id=run, key="p", value="x" * 7000)
    api.post("runs/log-batch", run_id=run, params=[{"key": "p", "value": "x" * 6500}])
    api.post("runs/set-tag", run_id=run, key="t", value="y" * 9000)
    assert params_of(api, run) == {"p": "x" * 6000}
    assert tags_of(api, run)["t"] == "y" * 8000


def test_long_values_are_refused_when_they_may_not_be_cut_off(database: Database, run: str) -> None:
    api = an_api(database, truncate_long_values=False)
    for path, fields in (
        ("runs/log-parameter", {"key": "p", "value": "x" * 6001}),
        ("runs/set-tag", {"key": "p", "value": "x" * 8001}),
        ("runs/log-batch", {"params": [{"key": "p", "value": "x" * 6001}]}),
    ):
        with pytest.raises(Refusal, match="maximum length") as refused:
            api.post(path, run_id=run, **fields)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_tags_are_written_over_and_the_last_of_a_batch_wins(api: Api, run: str) -> None:
    api.post("runs/set-tag", run_id=run, key="t", value="0")
    api.post("runs/log-batch", run_id=run, tags=[{"key": "t", "value": "1"}, {"key": "t", "value": "2"}])
    assert tags_of(api, run)["t"] == "2"
    api.post("runs/delete-tag", run_id=run, key="t")
    with pytest.raises(Refusal) as refused:
        api.post("runs/delete-tag", run_id=run, key="t")
    assert (refused.value.http_status, refused.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("in_batch", [False, True])
def test_the_name_tag_renames_the_run(api: Api, run: str, in_batch: bool) -> None:
    tag = {"key": "mlflow.runName", "value": "renamed"}
    if in_batch:
        api.post("runs/log-batch", run_id=run, tags=[{**tag, "value": "first"}, tag])
    else:
        api.post("runs/set-tag", run_id=run, **tag)
    assert api.get("runs/get", run_id=run)["run"]["info"]["run_name"] == "renamed"


def a_metric(**fields: object) -> dict[str, object]:
    return {"key": "m", "value": 1, "timestamp": 1, **fields}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"metrics": [a_metric(timestamp=-1)]}, r"metrics\[0\].timestamp", id="negative-time"),
        pytest.param({"metrics": [a_metric(), {"key": "m", "value": 1}]}, r"metrics\[1\].timestamp", id="no-time"),
        pytest.param({"metrics": [a_metric(key="a//b")]}, r"metrics\[0\].name", id="key-rule"),
        pytest.param({"metrics": [a_metric(key="k" * 251)]}, r"metrics\[0\].name", id="key-length"),
        pytest.param({"metrics": [a_metric(dataset_name="d")]}, r"metrics\[0\].dataset_digest", id="half-a-dataset"),
        pytest.param({"metrics": [a_metric(value="x")]}, r"metrics\[0\].value", id="no-number"),
        pytest.param({"params": [{"key": "a"}, {"key": "../b"}]}, r"params\[1\].key", id="param-key"),
        pytest.param({"params": [{"key": "a"}, {"key": "a"}]}, "Duplicate parameter keys", id="same-param-twice"),
        pytest.param({"tags": [{"key": "a"}, {"key": "b\n"}]}, r"tags\[1\].key", id="tag-key"),
        pytest.param({"metrics": [a_metric()] * 1001}, "at most 1000 metrics", id="metrics"),
        pytest.param({"params": [{"key": str(n)} for n in range(101)]}, "at most 100 params", id="params"),
        pytest.param({"tags": [{"key": str(n)} for n in range(101)]}, "at most 100 tags", id="tags"),
        pytest.param({"metrics": [a_metric()] * 950, "tags": [{"key": "t"}] * 51}, "at most 1000 metrics, ", id="all"),
    ],
)
def test_limits_of_a_batch_name_the_place(api: Api, run: str, fields: dict[str, object], message: str) -> None:
    with pytest.raises(Refusal, match=message) as refused:
        api.post("runs/log-batch", run_id=run, **fields)
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("run_id", ["-a", "a/b", "x" * 257, "a b"])
def test_a_batch_wants_a_run_id_that_can_be_one(api: Api, run_id: str) -> None:
    with pytest.raises(Refusal, match="a run ID starts with"):
        api.post("runs/log-batch", run_id=run_id)


def test_a_thousand_metrics_go_in_one_batch(api: Api, run: str) -> None:
    metrics = [a_metric(key=f"k{number % 10}", step=number, timestamp=number) for number in range(1000)]
    api.post("runs/log-batch", run_id=run, metrics=metrics)
    assert len(history(api, run, "k3")) == 100
    assert latest(api, run, "k3") == (1.0, 993, 993)


def test_a_run_keeps_its_name(api: Api, run: str) -> None:
    """What would empty it is passed over, as in MLflow's server."""
    name = api.get("runs/get", run_id=run)["run"]["info"]["run_name"]
    api.post("runs/set-tag", run_id=run, key="mlflow.runName", value="")
    api.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName"}, {"key": "k", "value": "v"}])
    assert tags_of(api, run) == {"mlflow.runName": name, "k": "v"}
    api.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": v} for v in ("first", "last", "")])
    assert api.get("runs/get", run_id=run)["run"]["info"]["run_name"] == tags_of(api, run)["mlflow.runName"] == "last"


def a_model_file(**fields: object) -> str:
    return json.dumps({"artifact_path": "a", "flavors": {}, "utc_time_created": "2026", "run_id": "r", **fields})


def test_a_logged_model_is_added_to_the_history_of_its_run(api: Api, run: str) -> None:
    flavors = {"sklearn": {"config": {"big": 1}, "code": None}, "python_function": {"loader_module": "m"}}
    for model in (
        a_model_file(flavors=flavors, metadata={"k": 1}, model_uuid="u"),
        a_model_file(artifact_path="b", run_id=run, flavors=None),
        a_model_file(run_id=None),
    ):
        api.post("runs/log-model", run_id=run, model_json=model)
    assert json.loads(tags_of(api, run)["mlflow.log-model.history"]) == [
        {
            "run_id": "r",
            "artifact_path": "a",
            "utc_time_created": "2026",
            "model_uuid": "u",
            "flavors": {"sklearn": {"code": None}, "python_function": {"loader_module": "m"}},
        },
        {"run_id": run, "artifact_path": "b", "utc_time_created": "2026", "model_uuid": None, "flavors": {}},
        {"artifact_path": "a", "utc_time_created": "2026", "model_uuid": None, "flavors": {}},
    ]


@pytest.mark.parametrize("text", ["[]", "7", "no json", '{"artifact_path": "a"}', a_model_file(flavors=[])])
def test_what_is_no_model_is_not_added_to_the_history(api: Api, run: str, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        api.post("runs/log-model", run_id=run, model_json=text)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
    assert "mlflow.log-model.history" not in tags_of(api, run)


def test_the_history_of_logged_models_ends_where_a_tag_does(api: Api, run: str) -> None:
    """MLflow's server writes more on SQLite, which then fits in no other database."""
    model = a_model_file(flavors={"f": {"x": "y" * 3000}})
    for _ in range(2):
        api.post("runs/log-model", run_id=run, model_json=model)
    before = tags_of(api, run)["mlflow.log-model.history"]
    with pytest.raises(Refusal, match="8000"):
        api.post("runs/log-model", run_id=run, model_json=model)
    assert tags_of(api, run)["mlflow.log-model.history"] == before


ODD = [
    '"',
    "\\",
    "a\\nb",
    "{,}",
    "NULL",
    "a\nb\tc",
    "'--",
    "%s :x",
    " ",
    "\x01\x7f",
    "é\u2028😀",
    '{"json": ["\\"", 1]}',
]


def test_a_value_is_kept_letter_by_letter(api: Api, run: str) -> None:
    values = {f"k{number}": value for number, value in enumerate(ODD)}
    items = [{"key": key, "value": value} for key, value in values.items()]
    api.post("runs/log-batch", run_id=run, params=items, tags=items)
    assert params_of(api, run) == values
    assert tags_of(api, run).items() >= values.items()


def test_a_number_is_kept_to_its_last_digit(api: Api, run: str) -> None:
    values = [0.1, -1.7976931348623157e308, 5e-324, 1 / 3, -0.0, 123456789.123456789, 2.0**53 + 2]
    metrics = [{"key": "m", "value": value, "timestamp": time, "step": -(2**63)} for time, value in enumerate(values)]
    api.post("runs/log-batch", run_id=run, metrics=metrics)
    assert [value for value, _, _ in history(api, run)] == values
