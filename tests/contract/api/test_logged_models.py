"""Logged models over the API: section 5 of the contract."""

from typing import Any

import pytest

from tests.support.api_calls import Api, Refusal


def a_model(api: Api, experiment: str, **fields: object) -> Any:
    return api.post("logged-models", experiment_id=experiment, **fields)["model"]


def test_a_new_model_is_pending(api: Api, experiment: str) -> None:
    model = a_model(
        api,
        experiment,
        name="linear",
        model_type="regressor",
        source_run_id="r",
        params=[{"key": "a", "value": "1"}],
        tags=[{"key": "b", "value": "2"}],
    )
    model_id = model["info"]["model_id"]
    assert model_id.startswith("m-")
    assert model == {
        "info": {
            "model_id": model_id,
            "experiment_id": experiment,
            "name": "linear",
            "creation_timestamp_ms": model["info"]["creation_timestamp_ms"],
            "last_updated_timestamp_ms": model["info"]["creation_timestamp_ms"],
            "artifact_uri": f"mlflow-artifacts:/{experiment}/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": "regressor",
            "source_run_id": "r",
            "tags": [{"key": "b", "value": "2"}],
        },
        "data": {"params": [{"key": "a", "value": "1"}]},
    }
    assert api.get(f"logged-models/{model_id}") == {"model": model}


def test_a_model_without_a_name_gets_one(api: Api, experiment: str) -> None:
    assert a_model(api, experiment)["info"]["name"] == "brave-otter-7"


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])
def test_some_characters_are_not_for_names(api: Api, experiment: str, name: str) -> None:
    with pytest.raises(Refusal, match="Invalid model name"):
        a_model(api, experiment, name=name)


def test_a_model_is_finalized_with_any_status(api: Api, experiment: str) -> None:
    info = a_model(api, experiment)["info"]
    for status in ("LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_READY"):
        model = api.patch(f"logged-models/{info['model_id']}", model_id=info["model_id"], status=status)["model"]
        assert model["info"]["status"] == status
        assert model["info"]["last_updated_timestamp_ms"] > info["last_updated_timestamp_ms"]
    with pytest.raises(Refusal, match="'status'"):
        api.patch(f"logged-models/{info['model_id']}", model_id=info["model_id"])


def test_a_metric_of_a_model_is_stored_on_the_run_and_on_the_model(api: Api, experiment: str, run: str) -> None:
    model_id = a_model(api, experiment)["info"]["model_id"]
    metric = {"key": "m", "value": 2.5, "timestamp": 7, "step": 1, "dataset_name": "d", "dataset_digest": "1"}
    for _ in range(2):
        api.post("runs/log-metric", run_id=run, model_id=model_id, **metric)
    api.post("runs/log-batch", run_id=run, metrics=[{**metric, "step": 2, "model_id": model_id}, {**metric, "step": 3}])
    found = api.get(f"logged-models/{model_id}")["model"]["data"]["metrics"]
    assert sorted(found, key=lambda each: int(each["step"])) == [
        {**metric, "step": step, "model_id": model_id, "run_id": run} for step in (1, 2)
    ]
    assert len(api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]) == 3


def test_deleting_is_soft_and_may_be_done_twice(api: Api, experiment: str) -> None:
    path = f"logged-models/{a_model(api, experiment)['info']['model_id']}"
    for _ in range(2):
        assert api.delete(path) == {}
    with pytest.raises(Refusal) as refused:
        api.get(path)
    assert (refused.value.http_status, refused.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert api.get(path, allow_deleted="true")["model"]
    assert api.post("logged-models/search", experiment_ids=[experiment]) == {}


def test_tags_are_written_over_and_deleted(api: Api, experiment: str) -> None:
    path = f"logged-models/{a_model(api, experiment, tags=[{'key': 'a', 'value': '1'}])['info']['model_id']}"
    assert api.patch(f"{path}/tags", tags=[{"key": "a", "value": "2"}, {"key": "b c", "value": "3"}]) == {}
    assert api.delete(f"{path}/tags/b%20c") == {}
    assert api.get(path)["model"]["info"]["tags"] == [{"key": "a", "value": "2"}]
    with pytest.raises(Refusal) as refused:
        api.delete(f"{path}/tags/b")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_params_are_added_once(api: Api, experiment: str) -> None:
    model_id = a_model(api, experiment, params=[{"key": "a", "value": "1"}])["info"]["model_id"]
    path = f"logged-models/{model_id}"
    assert api.post(f"{path}/params", model_id=model_id, params=[{"key": "b", "value": "2"}]) == {}
    for params in ([{"key": "a", "value": "1"}], [{"key": "c"}, {"key": "c"}]):
        with pytest.raises(Refusal) as refused:
            api.post(f"{path}/params", model_id=model_id, params=params)
        assert (refused.value.http_status, refused.value.error_code) == (400, "BAD_REQUEST")
    found = api.get(path)["model"]["data"]["params"]
    assert sorted(param["key"] for param in found) == ["a", "b"]
    with pytest.raises(Refusal, match="'model_id'"):
        api.post(f"{path}/params", params=[])


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "logged-models/m-1", {}),
        ("DELETE", "logged-models/m-1", {}),
        ("PATCH", "logged-models/m-1", {"model_id": "m-1", "status": 2}),
        ("PATCH", "logged-models/m-1/tags", {"tags": []}),
        ("DELETE", "logged-models/m-1/tags/k", {}),
        ("POST", "logged-models/m-1/params", {"model_id": "m-1"}),
    ],
)
def test_a_missing_model_is_not_found(api: Api, method: str, path: str, fields: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        api.call(method, path, body=fields)
    assert (refused.value.http_status, refused.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_search_answers_whole_models_newest_first_in_pages(api: Api, experiment: str) -> None:
    models = [a_model(api, experiment, name=f"n{number}", params=[{"key": "a"}]) for number in range(5)]
    first = api.post("logged-models/search", experiment_ids=[experiment], max_results=3)
    assert first["models"] == models[:1:-1]
    second = api.post(
        "logged-models/search", experiment_ids=[experiment], max_results=3, page_token=first["next_page_token"]
    )
    assert second == {"models": models[1::-1]}
    assert api.post("logged-models/search", experiment_ids=[]) == {}
    with pytest.raises(Refusal, match="Invalid page token"):
        api.post("logged-models/search", experiment_ids=["77"], page_token=first["next_page_token"])


def test_a_search_is_ordered_by_attributes_and_by_the_latest_metric(api: Api, experiment: str, run: str) -> None:
    ids = [a_model(api, experiment, name=name)["info"]["model_id"] for name in ("b", "c", "a")]
    for model_id, points in ((ids[0], [(1, 9.0), (2, 1.0)]), (ids[1], [(1, 5.0)])):
        for time, value in points:
            api.post("runs/log-metric", run_id=run, key="m", model_id=model_id, value=value, timestamp=time)

    def names(*order: dict[str, object], **more: object) -> list[str]:
        found = api.post("logged-models/search", experiment_ids=[experiment], order_by=list(order), **more)
        return [str(model["info"]["name"]) for model in found["models"]]

    assert names({"field_name": "name"}) == ["a", "b", "c"]
    assert names({"field_name": "attributes.name", "ascending": False}) == ["c", "b", "a"]
    assert names({"field_name": "metrics.m"}) == ["b", "c", "a"]
    assert names({"field_name": "metrics.m", "ascending": False}) == ["c", "b", "a"]
    assert names({"field_name": "metrics.m", "dataset_name": "d"}) == ["a", "c", "b"]
    with pytest.raises(Refusal, match=r"Invalid order by field name: params\.a\. It must be"):
        names({"field_name": "params.a"})


def test_a_search_is_filtered(api: Api, experiment: str, run: str) -> None:
    forest = a_model(api, experiment, name="forest", model_type="tree", source_run_id=run)["info"]["model_id"]
    line = a_model(
        api,
        experiment,
        name="line",
        params=[{"key": "depth", "value": "3"}],
        tags=[{"key": "team", "value": "blue"}],
    )["info"]["model_id"]
    for model_id, value, dataset in ((forest, 0.5, ("d", "1")), (line, 0.9, ("e", "2"))):
        name, digest = dataset
        api.post(
            "runs/log-metric",
            run_id=run,
            key="score",
            model_id=model_id,
            value=value,
            timestamp=1,
            dataset_name=name,
            dataset_digest=digest,
        )
    api.patch(f"logged-models/{line}", model_id=line, status="LOGGED_MODEL_READY")

    def names(text: str, **more: object) -> list[str]:
        found = api.post("logged-models/search", experiment_ids=[experiment], filter=text, **more)
        return sorted(str(model["info"]["name"]) for model in found.get("models", []))

    assert names("name = 'forest'") == ["forest"]
    assert names("attributes.name LIKE '%e%'") == ["forest", "line"]
    assert names(f"model_id IN ('{line}')") == ["line"]
    assert names(f"source_run_id = '{run}' AND model_type != 'other'") == ["forest"]
    assert names(f"experiment_id = '{experiment}' AND creation_timestamp > 0") == ["forest", "line"]
    assert names("status = 2") == ["line"]
    assert names("params.depth = '3' AND tags.team ILIKE 'BLUE'") == ["line"]
    assert names("metrics.score > 0.4 AND metrics.score < 0.6") == ["forest"]
    assert names("metrics.score > 0.4", datasets=[{"dataset_name": "e"}]) == ["line"]
    assert names("metrics.score > 0.4", datasets=[{"dataset_name": "e", "dataset_digest": "1"}]) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("colour = 'red'", id="attribute"),
        pytest.param("metric.score > 1", id="prefix"),
        pytest.param("creation_time = 'x'", id="literal"),
    ],
)
def test_a_filter_that_cannot_be_is_refused(api: Api, experiment: str, text: str) -> None:
    with pytest.raises(Refusal) as refused:
        api.post("logged-models/search", experiment_ids=[experiment], filter=text)
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")
