"""Model versions over the API: section 7.2 of the contract."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.support.api_calls import Api, an_api
from tests.support.registry import (
    INVALID,
    MISSING,
    PROMPT,
    a_prompt,
    a_registered_model,
    a_version,
    outcome_of,
    refusal_of,
    tags,
)
from tracking_server.artifacts.roots import Location, Root
from tracking_server.database.transactions import Database
from tracking_server.entities.model_versions import GetModelVersionArtifact
from tracking_server.errors import DoesNotExist, NotImplementedHere
from tracking_server.services.artifacts import locate_model_version_artifact

NOTHING = "f" * 32


@pytest.fixture
def model(api: Api) -> str:
    a_registered_model(api)
    return "forest"


@pytest.fixture
def logged_model(api: Api, experiment: str, run: str) -> str:
    made = api.post("logged-models", experiment_id=experiment, name="lm", source_run_id=run)
    return str(made["model"]["info"]["model_id"])


def get(api: Api, version: str = "1", name: str = "forest") -> Any:
    return api.get("model-versions/get", name=name, version=version)["model_version"]


def download_uri(api: Api, version: str, name: str = "forest") -> Any:
    return api.get("model-versions/get-download-uri", name=name, version=version)["artifact_uri"]


def test_a_new_version_is_read_back(api: Api, model: str) -> None:
    version = a_version(
        api,
        model,
        "s3://bucket/model",
        run_id="r",
        description="d",
        run_link="http://x",
        tags=[*tags({"a": "1", "b": ""}), {"key": "a", "value": "2"}],
    )
    assert version == {
        "name": "forest",
        "version": "1",
        "creation_timestamp": version["creation_timestamp"],
        "last_updated_timestamp": version["creation_timestamp"],
        "current_stage": "None",
        "description": "d",
        "source": "s3://bucket/model",
        "run_id": "r",
        "status": "READY",
        "run_link": "http://x",
        "tags": tags({"a": "2", "b": ""}),
    }
    assert get(api) == version
    updated = api.get("registered-models/get", name=model)["registered_model"]["last_updated_timestamp"]
    assert updated == version["creation_timestamp"]


def test_what_was_not_said_is_empty(api: Api, model: str) -> None:
    version = a_version(api, model)
    assert (version["run_id"], version["description"], version["run_link"]) == ("", "", "")


@pytest.mark.parametrize("version", ["1", "01", " 1", "+1"])
def test_a_version_is_named_by_any_spelling_of_its_number(api: Api, model: str, version: str) -> None:
    a_version(api, model)
    assert get(api, version)["version"] == "1"


@pytest.mark.parametrize("version", ["abc", "1.0", "", "9" * 31])
def test_what_is_no_number_is_refused(api: Api, model: str, version: str) -> None:
    a_version(api, model)
    assert outcome_of(api, "GET", "model-versions/get", name=model, version=version) == INVALID


@pytest.mark.parametrize("version", ["0", "-1", "2", "2147483648", "9" * 30])
def test_a_number_that_no_version_has_is_not_found(api: Api, model: str, version: str) -> None:
    a_version(api, model)
    assert outcome_of(api, "GET", "model-versions/get", name=model, version=version) == MISSING


def test_numbers_go_on_behind_a_deleted_version(api: Api, model: str) -> None:
    for _ in range(3):
        a_version(api, model)
    api.delete("model-versions/delete", name=model, version="3")
    assert a_version(api, model)["version"] == "4"


def test_a_deleted_version_is_gone_for_everybody_and_says_nothing_any_more(
    api: Api, model: str, database: Database
) -> None:
    a_version(api, model, run_id="r", tags=tags({"a": "1"}), run_link="http://secret", description="secret")
    api.post("registered-models/alias", name=model, alias="best", version="1")
    assert api.delete("model-versions/delete", name=model, version="1") == {}
    fields: dict[str, Any] = {"name": model, "version": "1"}
    for method, path, more in (
        ("GET", "get", {}),
        ("GET", "get-download-uri", {}),
        ("DELETE", "delete", {}),
        ("PATCH", "update", {"description": "d"}),
        ("POST", "transition-stage", {"stage": "Staging"}),
        ("POST", "set-tag", {"key": "k", "value": "v"}),
        ("DELETE", "delete-tag", {"key": "k"}),
    ):
        assert outcome_of(api, method, f"model-versions/{path}", **fields, **more) == MISSING
    assert api.get("model-versions/search", filter="name = 'forest'") == {}
    assert "latest_versions" not in api.get("registered-models/get", name=model)["registered_model"]
    with database.read() as connection:
        row = connection.exec_driver_sql(
            "SELECT current_stage, source, run_id, run_link, description FROM model_versions"
        ).one()
    assert tuple(row) == (
        "Deleted_Internal",
        "REDACTED-SOURCE-PATH",
        "REDACTED-RUN-ID",
        "REDACTED-RUN-LINK",
        None,
    )


def test_an_update_replaces_the_description(api: Api, model: str) -> None:
    before = a_version(api, model, description="old")
    api.post("registered-models/alias", name=model, alias="best", version="1")
    after = api.patch("model-versions/update", name=model, version="1", description="new")["model_version"]
    assert after["last_updated_timestamp"] > before["last_updated_timestamp"]
    assert (after["description"], after["aliases"]) == ("new", ["best"])
    assert "description" not in api.patch("model-versions/update", name=model, version="1")["model_version"]


def test_tags_are_written_over_and_deleted(api: Api, model: str) -> None:
    before = a_version(api, model, tags=tags({"a": "1"}))
    a_version(api, model)
    for key, value in (("a", "2"), ("b", "3"), ("c", "v" * 60_000)):
        assert api.post("model-versions/set-tag", name=model, version="1", key=key, value=value) == {}
    for _ in range(2):
        assert api.delete("model-versions/delete-tag", name=model, version="1", key="b") == {}
    assert get(api) == {**before, "tags": tags({"a": "2", "c": "v" * 60_000})}
    assert "tags" not in get(api, "2")


def test_a_stage_is_named_in_any_case_and_answered_in_its_own(api: Api, model: str) -> None:
    before = a_version(api, model)
    after = api.post("model-versions/transition-stage", name=model, version="1", stage="PRODUCTION")["model_version"]
    assert after["current_stage"] == "Production"
    assert after["last_updated_timestamp"] > before["last_updated_timestamp"]
    for stage in ("bogus", "Deleted_Internal", ""):
        assert (
            outcome_of(api, "POST", "model-versions/transition-stage", name=model, version="1", stage=stage) == INVALID
        )


def test_a_version_takes_a_stage_over_from_the_others(api: Api, model: str) -> None:
    for stage in ("Production", "Production", "Staging", "None"):
        number = a_version(api, model)["version"]
        api.post("model-versions/transition-stage", name=model, version=number, stage=stage)
    moved = api.post(
        "model-versions/transition-stage",
        name=model,
        version="4",
        stage="production",
        archive_existing_versions=True,
    )["model_version"]
    assert [get(api, number)["current_stage"] for number in "1234"] == ["Archived", "Archived", "Staging", "Production"]
    assert get(api, "1")["last_updated_timestamp"] == moved["last_updated_timestamp"]
    for stage in ("None", "Archived"):
        refused = refusal_of(
            api,
            "POST",
            "model-versions/transition-stage",
            name=model,
            version="4",
            stage=stage,
            archive_existing_versions=True,
        )
        assert (refused.http_status, refused.error_code) == INVALID


def test_a_source_belongs_to_the_run_that_is_named(api: Api, model: str, experiment: str, run: str) -> None:
    root = f"mlflow-artifacts:/{experiment}/{run}/artifacts"
    for source in (root, f"{root}/model", f"runs:/{run}/model"):
        assert a_version(api, model, source, run_id=run)["source"] == source
        for fields in ({}, {"run_id": NOTHING}):
            assert outcome_of(api, "POST", "model-versions/create", name=model, source=source, **fields) == INVALID
    for source in (f"{root}x", f"{root}/../other", f"{root}/%252e%252e/other", "mlflow-artifacts:/", "/etc/passwd"):
        assert outcome_of(api, "POST", "model-versions/create", name=model, source=source, run_id=run) == INVALID
    assert a_version(api, model)["version"] == "4", "what was refused has no number"


def test_a_local_source_lies_in_the_folder_of_the_run(database: Database) -> None:
    api = an_api(database, default_artifact_root="/srv/mlruns")
    experiment = api.post("experiments/create", name="local")["experiment_id"]
    run = api.post("runs/create", experiment_id=experiment)["run"]["info"]
    a_registered_model(api)
    for source in (run["artifact_uri"], f"{run['artifact_uri']}/m", f"file://{run['artifact_uri']}/m"):
        assert a_version(api, source=source, run_id=run["run_id"])["source"] == source
        assert outcome_of(api, "POST", "model-versions/create", name="forest", source=source) == INVALID
    for source in ("/srv/mlruns", f"{run['artifact_uri']}/../../x", "m", f"file://host{run['artifact_uri']}"):
        fields = {"name": "forest", "source": source, "run_id": run["run_id"]}
        assert outcome_of(api, "POST", "model-versions/create", **fields) == INVALID


def test_a_version_of_a_logged_model_is_told_to_it(
    api: Api, model: str, experiment: str, run: str, logged_model: str
) -> None:
    made = a_version(api, model, f"models:/{logged_model}", model_id=logged_model)
    assert made["run_id"] == run, "that of the logged model"
    root = f"mlflow-artifacts:/{experiment}/models/{logged_model}/artifacts"
    assert download_uri(api, "1") == root
    a_registered_model(api, "other")
    a_version(api, "other", f"{root}/part", model_id=logged_model, run_id="r")
    info = api.get(f"logged-models/{logged_model}")["model"]["info"]
    (tag,) = info["tags"]
    assert tag["key"] == "mlflow.modelVersions"
    assert json.loads(tag["value"]) == [{"name": model, "version": 1}, {"name": "other", "version": 1}]


def test_a_source_belongs_to_the_logged_model_that_is_named(
    api: Api, model: str, experiment: str, run: str, logged_model: str
) -> None:
    create = "model-versions/create"
    for source in (f"models:/{logged_model}", f"mlflow-artifacts:/{experiment}/models/{logged_model}/artifacts"):
        for fields in ({}, {"run_id": run}):
            assert outcome_of(api, "POST", create, name=model, source=source, **fields) == INVALID
    for source in ("/tmp/x", f"runs:/{run}/m", f"mlflow-artifacts:/{experiment}/{run}/artifacts", "models:/m-1"):
        assert outcome_of(api, "POST", create, name=model, source=source, model_id=logged_model) == INVALID
    missing = {"name": model, "source": f"models:/m-{NOTHING}", "model_id": f"m-{NOTHING}"}
    assert outcome_of(api, "POST", create, **missing) == MISSING
    api.delete(f"logged-models/{logged_model}")
    gone = {"name": model, "source": f"models:/{logged_model}", "model_id": logged_model}
    assert outcome_of(api, "POST", create, **gone) == MISSING


def test_a_lineage_that_is_no_list_is_not_thrown_away(api: Api, model: str, logged_model: str) -> None:
    api.patch(f"logged-models/{logged_model}/tags", tags=tags({"mlflow.modelVersions": "mine"}))
    refused = refusal_of(
        api,
        "POST",
        "model-versions/create",
        name=model,
        source=f"models:/{logged_model}",
        model_id=logged_model,
    )
    assert (refused.http_status, refused.error_code) == INVALID
    assert "delete the tag first" in refused.message
    assert outcome_of(api, "GET", "model-versions/get", name=model, version="1") == MISSING


@pytest.mark.parametrize("selector", ["/2", "/02", "@best", "@latest", "/latest", "/LATEST", "/Production"])
def test_a_copy_is_of_a_version_however_it_is_named(api: Api, model: str, selector: str) -> None:
    a_version(api, model)
    a_version(api, model, "s3://bucket/second", run_id="r")
    api.post("registered-models/alias", name=model, alias="best", version="2")
    api.post("model-versions/transition-stage", name=model, version="2", stage="Production")
    a_registered_model(api, "copy")
    copy = a_version(api, "copy", f"models:/{model}{selector}")
    assert (copy["source"], copy["run_id"]) == ("models:/forest/2", "r")
    again = a_version(api, "copy", "models:/copy/1")
    assert (again["source"], again["run_id"]) == ("models:/copy/1", "r")
    assert [download_uri(api, number, "copy") for number in "12"] == ["s3://bucket/second"] * 2


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("models:/forest@nothing", INVALID),
        ("models:/forest@a b", INVALID),
        ("models:/forest/bogus", INVALID),
        ("models:/forest/1/2", INVALID),
        ("models:/forest/1/", INVALID),
        ("models:/forest/1#x", INVALID),
        ("models:/forest", INVALID),
        ("models:/", INVALID),
        ("models://host/forest/1", INVALID),
        ("models:/greeting/1", INVALID),
        ("models:/forest/9", MISSING),
        ("models:/forest/Production", MISSING),
        ("models:/nothing/1", MISSING),
    ],
)
def test_a_copy_of_what_is_not_there_is_refused(api: Api, model: str, source: str, outcome: tuple[int, str]) -> None:
    a_version(api, model)
    a_prompt(api)
    assert outcome_of(api, "POST", "model-versions/create", name=model, source=source) == outcome


def test_a_copy_has_the_run_of_what_it_copies(api: Api, model: str) -> None:
    a_version(api, model, run_id="r")
    assert a_version(api, model, "models:/forest/1", run_id="r")["run_id"] == "r"
    for fields in ({"run_id": "other"}, {"run_id": ""}, {"model_id": "m-1"}):
        source = "models:/forest/1"
        assert outcome_of(api, "POST", "model-versions/create", name=model, source=source, **fields) == INVALID


def test_an_administrator_may_limit_sources(database: Database) -> None:
    api = an_api(database, model_source_pattern=re.compile("^s3://ours/"))
    a_registered_model(api)
    assert a_version(api, source="s3://ours/m")["version"] == "1"
    refused = refusal_of(api, "POST", "model-versions/create", name="forest", source="s3://theirs/m")
    assert (refused.http_status, refused.error_code) == INVALID
    assert "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX" in refused.message


@pytest.mark.parametrize(
    ("source", "allowed"),
    [("http://host/m", "http"), ("abfss://c@host/m", "abfss"), ("mlflow-artifacts://host/m", "mlflow-artifacts")],
)
def test_a_host_is_named_only_if_that_is_allowed(database: Database, source: str, allowed: str) -> None:
    api = an_api(database)
    a_registered_model(api)
    refused = refusal_of(api, "POST", "model-versions/create", name="forest", source=source)
    assert "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES" in refused.message
    allowing = an_api(database, allowed_host_schemes=frozenset({allowed}))
    if allowed == "mlflow-artifacts":
        assert "run_id" in refusal_of(allowing, "POST", "model-versions/create", name="forest", source=source).message
    else:
        assert a_version(allowing, source=source)["source"] == source


def test_a_version_of_a_prompt_has_a_placeholder_for_a_source(api: Api) -> None:
    a_prompt(api, texts=["Hello {{name}}", "x" * 60_000])
    assert [tag["value"] for tag in get(api, "2", "greeting")["tags"]] == ["true", "x" * 60_000]
    for source in ("s3://bucket/m", "../../../etc", "/etc/passwd", "mlflow-artifacts:/"):
        fields = {"name": "greeting", "source": source, "tags": [PROMPT]}
        assert outcome_of(api, "POST", "model-versions/create", **fields) == INVALID
    last_wins = [PROMPT, {**PROMPT, "value": "false"}]
    fields = {"name": "greeting", "source": "dummy-source", "tags": last_wins}
    assert outcome_of(api, "POST", "model-versions/create", **fields) == INVALID


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("POST", "create", {"source": "s3://bucket/m"}),
        ("GET", "get", {"version": "1"}),
        ("PATCH", "update", {"version": "1", "description": "d"}),
        ("POST", "transition-stage", {"version": "1", "stage": "Staging"}),
        ("DELETE", "delete", {"version": "1"}),
        ("GET", "get-download-uri", {"version": "1"}),
        ("POST", "set-tag", {"version": "1", "key": "k", "value": "v"}),
        ("DELETE", "delete-tag", {"version": "1", "key": "k"}),
    ],
)
@pytest.mark.parametrize(("name", "outcome"), [("nothing", MISSING), ("a/b", INVALID)])
def test_a_missing_model_is_not_found(
    api: Api, method: str, path: str, fields: dict[str, str], name: str, outcome: tuple[int, str]
) -> None:
    assert outcome_of(api, method, f"model-versions/{path}", name=name, **fields) == outcome


def test_a_file_of_a_version_is_where_its_files_are(
    api: Api, model: str, experiment: str, run: str, logged_model: str
) -> None:
    """Through names, to the place; never to a store that this server does not have."""
    a_version(api, model, f"runs:/{run}/model", run_id=run)
    a_version(api, model, f"models:/{logged_model}", model_id=logged_model)
    a_version(api, model, "models:/forest/2")
    a_version(api, model, "s3://elsewhere/m")

    root = Root(location=Location(origin="mlflow-artifacts://", path=""), store=api.context.artifact_store)
    context = replace(api.context, artifact_roots=(root,))

    def key(version: str) -> str:
        return locate_model_version_artifact(
            GetModelVersionArtifact(name=model, version=version, path="a/b.txt"), context
        ).key

    assert key("1") == f"{experiment}/{run}/artifacts/model/a/b.txt"
    assert key("2") == key("3") == f"{experiment}/models/{logged_model}/artifacts/a/b.txt"
    with pytest.raises(NotImplementedHere):
        key("4")
    with pytest.raises(DoesNotExist):
        key("5")
