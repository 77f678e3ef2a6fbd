"""Inputs and outputs of runs, and datasets: 4.7 of the contract."""

from itertools import count
from typing import Any

import pytest

from tests.support.api_calls import Api, Refusal, an_api
from tracking_server.database.transactions import Database

SEARCH_DATASETS = ("/ajax-api/2.0/mlflow/experiments/search-datasets", "/api/2.0mlflow/experiments/search-datasets")


def a_dataset(name: str = "d", context: str | None = "training", **fields: object) -> dict[str, Any]:
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    return {
        "dataset": {"name": name, "digest": "1", "source_type": "local", "source": "{}", "schema": "s", **fields},
        "tags": tags,
    }


def inputs_of(api: Api, run: str) -> Any:
    return api.get("runs/get", run_id=run)["run"]["inputs"]


def test_a_dataset_is_read_with_the_tags_of_its_use(api: Api, run: str) -> None:
    assert (
        api.post(
            "runs/log-inputs",
            run_id=run,
            datasets=[a_dataset(profile="p"), a_dataset("e", None, profile="", schema="")],
        )
        == {}
    )
    assert inputs_of(api, run)["dataset_inputs"] == [
        {
            "dataset": {
                "name": "d",
                "digest": "1",
                "source_type": "local",
                "source": "{}",
                "schema": "s",
                "profile": "p",
            },
            "tags": [{"key": "mlflow.data.context", "value": "training"}],
        },
        {"dataset": {"name": "e", "digest": "1", "source_type": "local", "source": "{}"}},
    ]


def test_the_first_description_and_the_first_tags_stay(api: Api, experiment: str, run: str) -> None:
    api.post("runs/log-inputs", run_id=run, datasets=[a_dataset(), a_dataset(context="twice")])
    api.post("runs/log-inputs", run_id=run, datasets=[a_dataset(context="again", source="other"), a_dataset("e")])
    found = {each["dataset"]["name"]: each for each in inputs_of(api, run)["dataset_inputs"]}
    assert found["d"] == a_dataset()
    assert found["e"] == a_dataset("e")
    other = api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    api.post("runs/log-inputs", run_id=other, datasets=[a_dataset(context="eval", source="other")])
    assert inputs_of(api, other)["dataset_inputs"] == [a_dataset(context="eval")]


def test_datasets_come_out_in_the_order_in_which_they_went_in(database: Database, run: str) -> None:
    names, falling = ["train", "eval", "c", "b", "a"], count(1_000_000, -1)
    api = an_api(database, new_id=lambda: f"{next(falling):032x}")
    for some in (names[:1], names[1:2], names[2:]):
        api.post("runs/log-inputs", run_id=run, datasets=[a_dataset(name) for name in some])
    assert [each["dataset"]["name"] for each in inputs_of(api, run)["dataset_inputs"]] == names


def test_models_go_in_once_and_come_out_once(api: Api, run: str) -> None:
    for _ in range(2):
        api.post("runs/log-inputs", run_id=run, models=[{"model_id": "m-1"}])
    api.post("runs/outputs", run_id=run, models=[{"model_id": "m-2", "step": 3}, {"model_id": "m-3"}])
    with pytest.raises(Refusal) as refused:
        api.post("runs/outputs", run_id=run, models=[{"model_id": "m-4"}, {"model_id": "m-2"}])
    assert (refused.value.http_status, refused.value.error_code) == (400, "BAD_REQUEST")
    found = api.get("runs/get", run_id=run)["run"]
    assert found["inputs"] == {"model_inputs": [{"model_id": "m-1"}]}
    outputs = sorted(found["outputs"]["model_outputs"], key=lambda output: str(output["model_id"]))
    assert outputs == [{"model_id": "m-2", "step": 3}, {"model_id": "m-3", "step": 0}]


def test_outputs_need_a_list_which_may_be_empty(api: Api, run: str) -> None:
    assert api.post("runs/outputs", run_id=run, models=[]) == {}
    with pytest.raises(Refusal, match="'models'"):
        api.post("runs/outputs", run_id=run)


@pytest.mark.parametrize(
    ("dataset", "place"),
    [
        pytest.param(a_dataset("n" * 501), r"datasets\[0\].dataset.name", id="name"),
        pytest.param(a_dataset(digest="1" * 37), r"datasets\[0\].dataset.digest", id="digest"),
        pytest.param(a_dataset(source="s" * 65_536), r"datasets\[0\].dataset.source", id="source"),
        pytest.param(a_dataset(schema="s" * 1_048_576), r"datasets\[0\].dataset.schema", id="schema"),
        pytest.param(a_dataset(profile="s" * 16_777_216), r"datasets\[0\].dataset.profile", id="profile"),
        pytest.param(a_dataset(context="c" * 501), r"datasets\[0\].tags\[0\].value", id="tag"),
        pytest.param({"tags": []}, r"datasets\[0\].dataset", id="no-dataset"),
    ],
)
def test_limits_of_a_dataset(api: Api, run: str, dataset: dict[str, object], place: str) -> None:
    with pytest.raises(Refusal, match=place) as refused:
        api.post("runs/log-inputs", run_id=run, datasets=[dataset])
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_dataset_without_anything_is_stored_as_empty_text(api: Api, run: str) -> None:
    nothing: dict[str, object] = {"dataset": {}}
    api.post("runs/log-inputs", run_id=run, datasets=[nothing])
    (found,) = inputs_of(api, run)["dataset_inputs"]
    assert found["dataset"] == {"name": "", "digest": "", "source_type": "", "source": ""}


@pytest.mark.parametrize("path", SEARCH_DATASETS)
def test_the_datasets_of_experiments_are_summarised(api: Api, experiment: str, run: str, path: str) -> None:
    api.post("runs/log-inputs", run_id=run, datasets=[a_dataset(), a_dataset("e", None)])
    other = api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    api.post("runs/log-inputs", run_id=other, datasets=[a_dataset()])
    found = api.post(path, experiment_ids=[experiment, "9999999999"])["dataset_summaries"]
    assert found == [
        {"experiment_id": experiment, "name": "d", "digest": "1", "context": "training"},
        {"experiment_id": experiment, "name": "e", "digest": "1"},
    ]
    assert api.post(path, experiment_ids=["77"]) == {}


@pytest.mark.parametrize("ids", [[], ["1"] * 21, ["x"]])
def test_datasets_of_one_to_twenty_experiments(api: Api, ids: list[str]) -> None:
    with pytest.raises(Refusal) as refused:
        api.post(SEARCH_DATASETS[0], experiment_ids=ids)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
