"""Many writers at once: nothing is lost, nobody is turned away, and what two cannot both have is answered."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.support.api_calls import Api, Refusal, an_api
from tests.support.children import start_child, wait_for
from tests.support.races import at_once
from tracking_server.database.transactions import Database

WRITERS = 6
POINTS = 20


def test_one_of_many_creates_the_experiment_and_the_others_hear_that_it_exists(api: Api) -> None:
    answers = at_once([partial(api.post, "experiments/create", name="same")] * WRITERS)
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refusals) == WRITERS - 1
    assert {(each.http_status, each.error_code) for each in refusals} == {(400, "RESOURCE_ALREADY_EXISTS")}


def test_all_points_are_kept_and_the_latest_is_the_latest(api: Api, run: str) -> None:
    def log(writer: int) -> Callable[[], None]:
        def write() -> None:
            for number in range(POINTS):
                step = number * WRITERS + writer
                metrics = [{"key": key, "value": step, "timestamp": 1, "step": step} for key in ("b", "a", "c")]
                tags = [{"key": f"t{number % 3}", "value": str(writer)} for number in range(3)]
                api.post("runs/log-batch", run_id=run, metrics=metrics, tags=tags)

        return write

    assert at_once([log(writer) for writer in range(WRITERS)]) == [None] * WRITERS
    data = api.get("runs/get", run_id=run)["run"]["data"]
    assert {metric["key"]: metric["step"] for metric in data["metrics"]} == dict.fromkeys("abc", WRITERS * POINTS - 1)
    for key in "abc":
        history = api.get("metrics/get-history", run_id=run, metric_key=key)["metrics"]
        assert sorted(int(metric["step"]) for metric in history) == list(range(WRITERS * POINTS))


def test_processes_that_write_one_metric_lose_nothing(api: Api, run: str, database: Database) -> None:
    """In a process, SQLite's writers queue; those of several meet in the file."""

    def write(first: int) -> None:
        own = an_api(database)
        for step in range(first, first + POINTS):
            own.post("runs/log-metric", run_id=run, key="m", value=step, timestamp=1, step=step)
        database.dispose()

    children = [start_child(partial(write, number * POINTS)) for number in range(3)]
    assert [wait_for(child) for child in children] == [0, 0, 0]
    history = api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]
    assert sorted(int(metric["step"]) for metric in history) == list(range(3 * POINTS))
    (latest,) = api.get("runs/get", run_id=run)["run"]["data"]["metrics"]
    assert int(latest["step"]) == 3 * POINTS - 1


def test_of_many_values_of_a_param_one_stays(api: Api, run: str) -> None:
    values = [str(writer) for writer in range(WRITERS)]
    answers = at_once([partial(api.post, "runs/log-parameter", run_id=run, key="p", value=value) for value in values])
    (param,) = api.get("runs/get", run_id=run)["run"]["data"]["params"]
    assert answers[int(param["value"])] == {}
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    assert len(refusals) == WRITERS - 1
    assert {each.error_code for each in refusals} == {"INVALID_PARAMETER_VALUE"}


@pytest.mark.parametrize("rounds", [5])
def test_names_and_tags_change_together_without_deadlocks(api: Api, run: str, rounds: int) -> None:
    def rename(name: str) -> Callable[[], None]:
        def write() -> None:
            for number in range(rounds):
                api.post("runs/update", run_id=run, run_name=f"{name}{number}")
                api.post("runs/set-tag", run_id=run, key="mlflow.runName", value=f"{name}{number}")

        return write

    assert at_once([rename(f"n{writer}-") for writer in range(WRITERS)]) == [None] * WRITERS
    found = api.get("runs/get", run_id=run)["run"]
    assert found["data"]["tags"] == [{"key": "mlflow.runName", "value": found["info"]["run_name"]}]


def test_many_runs_read_the_same_new_dataset(api: Api, experiment: str) -> None:
    runs = [api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"] for _ in range(WRITERS)]
    datasets = [{"dataset": {"name": f"d{number}", "digest": "1"}} for number in (2, 1, 3)]
    answers = at_once([partial(api.post, "runs/log-inputs", run_id=run, datasets=datasets) for run in runs])
    assert answers == [{}] * WRITERS
    for run in runs:
        found = api.get("runs/get", run_id=run)["run"]["inputs"]["dataset_inputs"]
        assert sorted(each["dataset"]["name"] for each in found) == ["d1", "d2", "d3"]
