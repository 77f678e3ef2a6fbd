"""Experiments over the API: 4.1 of the contract."""

import pytest

from tests.support.api_calls import START, Api, Refusal


def test_an_experiment_is_read_by_id_and_by_name(api: Api) -> None:
    created = api.post("experiments/create", name="a b", tags=[{"key": "team", "value": "x"}])
    assert created == {"experiment_id": "1"}
    experiment = {
        "experiment_id": "1",
        "name": "a b",
        "artifact_location": "mlflow-artifacts:/1",
        "lifecycle_stage": "active",
        "creation_time": START,
        "last_update_time": START,
        "tags": [{"key": "team", "value": "x"}],
        "workspace": "default",
    }
    assert api.get("experiments/get", experiment_id="1") == {"experiment": experiment}
    assert api.get("experiments/get-by-name", experiment_name="a b") == {"experiment": experiment}


def test_a_given_location_is_kept(api: Api) -> None:
    api.post("experiments/create", name="a", artifact_location="s3://bucket/path")
    assert api.get("experiments/get", experiment_id="1")["experiment"]["artifact_location"] == "s3://bucket/path"


@pytest.mark.parametrize("deleted", [False, True])
def test_a_name_is_taken_even_by_a_deleted_experiment(api: Api, experiment: str, deleted: bool) -> None:
    if deleted:
        api.post("experiments/delete", experiment_id=experiment)
    with pytest.raises(Refusal, match=r"Experiment\(name=ours\) already exists") as refused:
        api.post("experiments/create", name="ours")
    assert (refused.value.http_status, refused.value.error_code) == (400, "RESOURCE_ALREADY_EXISTS")


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "experiments/get", {"experiment_id": "77"}),
        ("GET", "experiments/get", {"experiment_id": "99999999999999999999"}),
        ("GET", "experiments/get-by-name", {"experiment_name": "nope"}),
        ("POST", "experiments/delete", {"experiment_id": "77"}),
        ("POST", "experiments/restore", {"experiment_id": "77"}),
        ("POST", "experiments/update", {"experiment_id": "77", "new_name": "x"}),
        ("POST", "experiments/set-experiment-tag", {"experiment_id": "77", "key": "k", "value": "v"}),
        ("POST", "runs/create", {"experiment_id": "77"}),
        ("POST", "logged-models", {"experiment_id": "77"}),
    ],
)
def test_what_is_missing_is_not_found(api: Api, method: str, path: str, fields: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        api.get(path, **fields) if method == "GET" else api.post(path, **fields)
    assert (refused.value.http_status, refused.value.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("experiment_id", ["x", "1.0", " 1", "٣", "0x1"])
def test_an_id_is_a_decimal_integer(api: Api, experiment_id: str) -> None:
    with pytest.raises(Refusal, match="Experiment ID must be a valid integer") as refused:
        api.get("experiments/get", experiment_id=experiment_id)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_deleting_takes_all_runs_and_restoring_brings_all_back(api: Api, experiment: str) -> None:
    runs = [api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"] for _ in range(2)]
    api.post("runs/delete", run_id=runs[0])

    def stages() -> list[str]:
        return [api.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] for run in runs]

    api.post("experiments/delete", experiment_id=experiment)
    assert stages() == ["deleted", "deleted"]
    deleted = api.get("experiments/get-by-name", experiment_name="ours")["experiment"]
    assert deleted["lifecycle_stage"] == "deleted"
    assert deleted["last_update_time"] > deleted["creation_time"]
    api.post("experiments/restore", experiment_id=experiment)
    assert stages() == ["active", "active"]


def test_only_an_active_experiment_is_deleted_and_only_a_deleted_one_restored(api: Api, experiment: str) -> None:
    with pytest.raises(Refusal) as refused:
        api.post("experiments/restore", experiment_id=experiment)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    api.post("experiments/delete", experiment_id=experiment)
    with pytest.raises(Refusal) as refused:
        api.post("experiments/delete", experiment_id=experiment)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_a_deleted_experiment_takes_no_changes(api: Api, experiment: str) -> None:
    api.post("experiments/delete", experiment_id=experiment)
    for path, fields, code in (
        ("experiments/update", {"new_name": "other"}, "INVALID_STATE"),
        ("experiments/set-experiment-tag", {"key": "k", "value": "v"}, "INVALID_PARAMETER_VALUE"),
        ("experiments/delete-experiment-tag", {"key": "k"}, "INVALID_PARAMETER_VALUE"),
        ("runs/create", {}, "INVALID_PARAMETER_VALUE"),
        ("logged-models", {}, "INVALID_PARAMETER_VALUE"),
    ):
        with pytest.raises(Refusal) as refused:
            api.post(path, experiment_id=experiment, **fields)
        assert (refused.value.http_status, refused.value.error_code) == (400, code), path


def test_renaming_moves_the_update_time_and_respects_other_names(api: Api, experiment: str) -> None:
    api.post("experiments/create", name="taken")
    api.post("experiments/update", experiment_id=experiment, new_name="renamed")
    renamed = api.get("experiments/get", experiment_id=experiment)["experiment"]
    assert renamed["name"] == "renamed"
    assert renamed["last_update_time"] > renamed["creation_time"]
    with pytest.raises(Refusal) as refused:
        api.post("experiments/update", experiment_id=experiment, new_name="taken")
    assert (refused.value.http_status, refused.value.error_code) == (400, "BAD_REQUEST")
    api.post("experiments/update", experiment_id=experiment, new_name="renamed")


def test_tags_are_written_over_and_deleted(api: Api, experiment: str) -> None:
    before = api.get("experiments/get", experiment_id=experiment)["experiment"]["last_update_time"]
    for value in ("1", "2"):
        api.post("experiments/set-experiment-tag", experiment_id=experiment, key="k", value=value)
    after = api.get("experiments/get", experiment_id=experiment)["experiment"]
    assert after["tags"] == [{"key": "k", "value": "2"}]
    assert after["last_update_time"] == before
    api.post("experiments/delete-experiment-tag", experiment_id=experiment, key="k")
    with pytest.raises(Refusal) as refused:
        api.post("experiments/delete-experiment-tag", experiment_id=experiment, key="k")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_saved_views_are_limited(api: Api, experiment: str) -> None:
    for number in range(50):
        api.post("experiments/set-experiment-tag", experiment_id=experiment, key=f"mlflow.customView.view{number}")
    api.post("experiments/set-experiment-tag", experiment_id=experiment, key="mlflow.customView.view7", value="again")
    with pytest.raises(Refusal, match="at most 50 tags"):
        api.post("experiments/set-experiment-tag", experiment_id=experiment, key="mlflow.customView.view50")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"name": "n" * 501}, "500 characters", id="name"),
        pytest.param({"name": "n", "tags": [{"key": "k" * 251}]}, r"tags\[0\].key", id="tag-key"),
        pytest.param({"name": "n", "tags": [{"key": "a//b"}]}, r"tags\[0\].key", id="tag-key-rule"),
        pytest.param({"name": "n", "tags": [{"key": "k", "value": "v" * 20_001}]}, r"tags\[0\].value", id="tag-value"),
        pytest.param({"name": "n", "artifact_location": "s3://b/" + "p" * 2048}, "2048", id="location-length"),
        pytest.param({"name": "n", "artifact_location": "runs:/x/y"}, "runs:/ URI", id="location-of-a-run"),
        pytest.param({"name": "n", "artifact_location": "https://elsewhere/x"}, "host", id="location-elsewhere"),
    ],
)
def test_limits(api: Api, fields: dict[str, object], message: str) -> None:
    with pytest.raises(Refusal, match=message) as refused:
        api.post("experiments/create", **fields)
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")


def test_search_pages_through_experiments_with_their_tags(api: Api) -> None:
    for number in range(5):
        api.post("experiments/create", name=f"e{number}", tags=[{"key": "even", "value": str(number % 2 == 0)}])
    first = api.post("experiments/search", max_results=2, filter="tags.even = 'True'")
    assert [found["name"] for found in first["experiments"]] == ["e4", "e2"]
    assert first["experiments"][0]["tags"] == [{"key": "even", "value": "True"}]
    query = {"max_results": "2", "filter": "tags.even = 'True'", "page_token": first["next_page_token"]}
    second = api.get("experiments/search", **query)
    assert [found["name"] for found in second["experiments"]] == ["e0"]
    assert "next_page_token" not in second


def test_search_sees_the_stage_that_is_asked_for(api: Api, experiment: str) -> None:
    api.post("experiments/delete", experiment_id=experiment)
    assert api.post("experiments/search", max_results=5) == {}
    assert len(api.post("experiments/search", max_results=5, view_type="DELETED_ONLY")["experiments"]) == 1
    assert len(api.post("experiments/search", max_results=5, view_type=3)["experiments"]) == 1


@pytest.mark.parametrize("fields", [{}, {"max_results": 0}, {"max_results": -1}, {"max_results": 50_001}])
def test_search_needs_a_page_size(api: Api, fields: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        api.post("experiments/search", **fields)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"
