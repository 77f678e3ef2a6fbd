"""Runs over the API: 4.2 of the contract."""

import pytest

from tests.support.api_calls import Api, Refusal


def test_a_new_run_runs(api: Api, experiment: str) -> None:
    created = api.post(
        "runs/create", experiment_id=experiment, user_id="alice", start_time=5, tags=[{"key": "a", "value": "b"}]
    )["run"]
    run_id = created["info"]["run_id"]
    assert created == {
        "info": {
            "run_id": run_id,
            "run_uuid": run_id,
            "run_name": "brave-otter-7",
            "experiment_id": experiment,
            "user_id": "alice",
            "status": "RUNNING",
            "start_time": 5,
            "artifact_uri": f"mlflow-artifacts:/{experiment}/{run_id}/artifacts",
            "lifecycle_stage": "active",
        },
        "data": {"tags": [{"key": "a", "value": "b"}, {"key": "mlflow.runName", "value": "brave-otter-7"}]},
        "inputs": {},
    }
    assert api.get("runs/get", run_id=run_id) == {"run": {**created, "outputs": {}}}


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        pytest.param({"run_name": "n"}, "n", id="argument"),
        pytest.param({"tags": [{"key": "mlflow.runName", "value": "t"}]}, "t", id="tag"),
        pytest.param({"run_name": "n", "tags": [{"key": "mlflow.runName", "value": "n"}]}, "n", id="both"),
        pytest.param({"run_name": "n", "tags": [{"key": "mlflow.runName", "value": ""}]}, "n", id="empty-tag"),
        pytest.param({}, "brave-otter-7", id="random"),
    ],
)
def test_the_name_comes_from_the_argument_or_the_tag(
    api: Api, experiment: str, fields: dict[str, object], name: str
) -> None:
    run = api.post("runs/create", experiment_id=experiment, **fields)["run"]
    assert run["info"]["run_name"] == name
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": name}]


def test_two_different_names_are_refused(api: Api, experiment: str) -> None:
    with pytest.raises(Refusal, match="with different values"):
        api.post("runs/create", experiment_id=experiment, run_name="a", tags=[{"key": "mlflow.runName", "value": "b"}])


def test_the_artifacts_of_a_run_lie_below_its_experiment_before_the_query(api: Api) -> None:
    experiment = api.post("experiments/create", name="q", artifact_location="s3://b/p?x=1")["experiment_id"]
    info = api.post("runs/create", experiment_id=experiment)["run"]["info"]
    assert info["artifact_uri"] == f"s3://b/p/{info['run_id']}/artifacts?x=1"


def test_an_update_changes_what_it_names(api: Api, run: str) -> None:
    updated = api.post("runs/update", run_id=run, status="FINISHED", end_time=9, run_name="new")["run_info"]
    assert (updated["status"], updated["end_time"], updated["run_name"]) == ("FINISHED", 9, "new")
    kept = api.post("runs/update", run_id=run, run_name="", status="DONE")["run_info"]
    assert kept == updated
    found = api.get("runs/get", run_id=run)["run"]
    assert found["info"] == updated
    assert found["data"]["tags"] == [{"key": "mlflow.runName", "value": "new"}]


def test_a_run_that_ends_at_zero_has_no_end(api: Api, run: str) -> None:
    assert "end_time" not in api.post("runs/update", run_id=run, end_time=0)["run_info"]
    assert "end_time" not in api.get("runs/get", run_id=run)["run"]["info"]


def test_run_uuid_is_the_old_name_of_run_id_where_mlflow_takes_it(api: Api, run: str) -> None:
    assert api.get("runs/get", run_uuid=run)["run"]["info"]["run_id"] == run
    api.post("runs/update", run_uuid=run, status="KILLED")
    api.post("runs/set-tag", run_uuid=run, key="k", value="v")
    api.post("runs/log-parameter", run_uuid=run, key="k", value="v")
    api.post("runs/log-metric", run_uuid=run, key="k", value=1, timestamp=1)
    assert api.get("metrics/get-history", run_uuid=run, metric_key="k")["metrics"]
    for path in ("runs/delete", "runs/restore", "runs/log-batch", "runs/delete-tag", "runs/log-inputs"):
        with pytest.raises(Refusal, match="'run_id'"):
            api.post(path, run_uuid=run, key="k")


def test_deleting_and_restoring_may_be_done_twice(api: Api, run: str) -> None:
    for path, stage in (("runs/delete", "deleted"), ("runs/restore", "active")):
        for _ in range(2):
            assert api.post(path, run_id=run) == {}
            assert api.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == stage


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("runs/update", {"status": "FINISHED"}),
        ("runs/log-metric", {"key": "k", "value": 1, "timestamp": 1}),
        ("runs/log-parameter", {"key": "k", "value": "v"}),
        ("runs/set-tag", {"key": "k", "value": "v"}),
        ("runs/delete-tag", {"key": "mlflow.runName"}),
        ("runs/log-batch", {}),
        ("runs/log-inputs", {}),
        ("runs/outputs", {"models": []}),
        (
            "runs/log-model",
            {"model_json": '{"artifact_path": "", "flavors": {}, "utc_time_created": "", "run_id": ""}'},
        ),
    ],
)
def test_a_deleted_run_takes_nothing_and_a_missing_one_is_not_found(
    api: Api, run: str, path: str, fields: dict[str, object]
) -> None:
    api.post("runs/delete", run_id=run)
    with pytest.raises(Refusal, match="must be in the 'active' state") as refused:
        api.post(path, run_id=run, **fields)
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")
    with pytest.raises(Refusal) as refused:
        api.post(path, run_id="f" * 32, **fields)
    assert (refused.value.http_status, refused.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("path", ["runs/delete", "runs/restore"])
def test_a_missing_run_is_neither_deleted_nor_restored(api: Api, path: str) -> None:
    with pytest.raises(Refusal) as refused:
        api.post(path, run_id="f" * 32)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_search_finds_whole_runs(api: Api, experiment: str, run: str) -> None:
    api.post(
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": "m", "value": 0.5, "timestamp": 2, "step": 1}],
        params=[{"key": "p", "value": "1"}],
        tags=[{"key": "t", "value": "x"}],
    )
    dataset = {"name": "d", "digest": "1", "source_type": "local", "source": "{}"}
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}], models=[{"model_id": "m-1"}])
    api.post("runs/outputs", run_id=run, models=[{"model_id": "m-2", "step": 3}])
    other = api.post("runs/create", experiment_id=experiment, start_time=0)["run"]["info"]["run_id"]

    found = api.post("runs/search", experiment_ids=[experiment])["runs"]
    assert [each["info"]["run_id"] for each in found] == [run, other]
    whole = api.get("runs/get", run_id=run)["run"]
    assert whole["inputs"]["model_inputs"] == [{"model_id": "m-1"}]
    assert whole["outputs"] == {"model_outputs": [{"model_id": "m-2", "step": 3}]}
    del whole["inputs"]["model_inputs"]
    assert found[0] == whole
    matching = api.post("runs/search", experiment_ids=[experiment], filter="metrics.m > 0.1 AND params.p = '1'")
    assert [each["info"]["run_id"] for each in matching["runs"]] == [run]


def test_search_pages(api: Api, experiment: str) -> None:
    names = [f"r{number}" for number in range(5)]
    for number, name in enumerate(names):
        api.post("runs/create", experiment_id=experiment, run_name=name, start_time=number)
    seen: list[str] = []
    token = ""
    while True:
        page = api.post("runs/search", experiment_ids=[experiment], max_results=2, page_token=token)
        seen += [found["info"]["run_name"] for found in page["runs"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert seen == names[::-1]


def test_search_without_experiments_finds_nothing(api: Api, run: str) -> None:
    assert api.post("runs/search") == {}
    assert api.post("runs/search", experiment_ids=["9999999999"]) == {}


@pytest.mark.parametrize("max_results", [0, -1, 50_001])
def test_search_has_a_largest_page(api: Api, experiment: str, max_results: int) -> None:
    with pytest.raises(Refusal) as refused:
        api.post("runs/search", experiment_ids=[experiment], max_results=max_results)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
