"""Registered models, their tags and aliases over the API: sections 7.1, 7.3 and 7.5 of the contract."""

from typing import Any

import pytest

from tests.support.api_calls import Api
from tests.support.registry import (
    INVALID,
    MISSING,
    PROMPT,
    TAKEN,
    a_prompt,
    a_registered_model,
    a_version,
    outcome_of,
    refusal_of,
    tags,
)
from tracking_server.database.transactions import Database


def test_a_new_model_is_read_back(api: Api) -> None:
    model = a_registered_model(
        api, "forest", description="trees", tags=[*tags({"a": "1", "b": ""}), {"key": "a", "value": "2"}]
    )
    assert model == {
        "name": "forest",
        "creation_timestamp": model["creation_timestamp"],
        "last_updated_timestamp": model["creation_timestamp"],
        "description": "trees",
        "tags": tags({"a": "2", "b": ""}),
    }
    assert api.get("registered-models/get", name="forest") == {"registered_model": model}


def test_a_model_without_a_description_has_none(api: Api) -> None:
    assert set(a_registered_model(api)) == {"name", "creation_timestamp", "last_updated_timestamp"}


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", ".", "..", "../x", "a\x00"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "create"), ("GET", "get"), ("PATCH", "update"), ("DELETE", "delete")]
)
def test_a_name_has_no_slash_and_no_colon(api: Api, method: str, path: str, name: str) -> None:
    assert outcome_of(api, method, f"registered-models/{path}", name=name) == INVALID


@pytest.mark.parametrize("name", ["a.b", "a b", "a%20b", "é", "..a", "名前"])
def test_other_names_are_taken_as_they_are(api: Api, name: str) -> None:
    a_registered_model(api, name)
    assert api.get("registered-models/get", name=name)["registered_model"]["name"] == name


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ([], [], "Registered Model (name=n) already exists."),
        ([PROMPT], [PROMPT], "Prompt (name=n) already exists."),
        ([PROMPT], [], "Tried to create a registered model with name 'n', but the name is already taken by a prompt."),
        ([], [PROMPT], "Tried to create a prompt with name 'n', but the name is already taken by a registered model."),
    ],
    ids=["models", "prompts", "model-after-prompt", "prompt-after-model"],
)
def test_a_name_is_taken_once(api: Api, first: list[Any], second: list[Any], message: str) -> None:
    a_registered_model(api, "n", tags=first)
    refused = refusal_of(api, "POST", "registered-models/create", name="n", tags=second)
    assert (refused.http_status, refused.error_code) == TAKEN
    assert refused.message.startswith(message)


@pytest.mark.parametrize("tag", [{"key": "k" * 251}, {"key": "k", "value": "v" * 100_001}, {"key": "a//b"}, {}])
def test_a_tag_has_its_limits(api: Api, tag: dict[str, str]) -> None:
    a_registered_model(api)
    assert outcome_of(api, "POST", "registered-models/create", name="other", tags=[tag]) == INVALID
    assert outcome_of(api, "POST", "registered-models/set-tag", name="forest", **tag) == INVALID
    assert outcome_of(api, "GET", "registered-models/get", name="other") == MISSING


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("registered-models/create", {"name": "n" * 257}),
        ("registered-models/create", {"name": "n", "description": "d" * 5001}),
        ("registered-models/create", {"name": "n", "tags": tags({"k": "v" * 5001})}),
        ("registered-models/rename", {"name": "forest", "new_name": "n" * 257}),
        ("registered-models/set-tag", {"name": "forest", "key": "k", "value": "v" * 5001}),
        ("model-versions/create", {"name": "forest", "source": "s3://b/" + "s" * 500}),
        ("model-versions/create", {"name": "forest", "source": "s3://b/s", "run_id": "r" * 33}),
        ("model-versions/create", {"name": "forest", "source": "s3://b/s", "run_link": "r" * 501}),
        ("model-versions/create", {"name": "forest", "source": "s3://b/s", "description": "d" * 5001}),
    ],
)
def test_what_a_column_cannot_hold_is_refused_with_the_width(
    api: Api, database: Database, path: str, fields: dict[str, Any]
) -> None:
    """SQLite holds everything, and MLflow's server on it takes it."""
    a_registered_model(api)
    if database.dialect == "sqlite":
        api.post(path, **fields)
        return
    refused = refusal_of(api, "POST", path, **fields)
    assert (refused.http_status, refused.error_code) == (400, "BAD_REQUEST")
    assert "the database keeps at most" in refused.message


def test_an_update_replaces_the_description(api: Api) -> None:
    before = a_registered_model(api, description="old", tags=tags({"a": "1"}))
    after = api.patch("registered-models/update", name="forest", description="new")["registered_model"]
    assert after == {**before, "description": "new", "last_updated_timestamp": after["last_updated_timestamp"]}
    assert after["last_updated_timestamp"] > before["last_updated_timestamp"]
    assert "description" not in api.patch("registered-models/update", name="forest")["registered_model"]


def test_a_rename_takes_everything_along(api: Api) -> None:
    a_registered_model(api, tags=tags({"a": "1"}))
    a_version(api, tags=tags({"b": "2"}))
    api.post("registered-models/alias", name="forest", alias="best", version="1")
    renamed = api.post("registered-models/rename", name="forest", new_name="wood")["registered_model"]
    assert (renamed["name"], renamed["tags"], renamed["aliases"]) == (
        "wood",
        tags({"a": "1"}),
        [{"alias": "best", "version": "1"}],
    )
    version = api.get("model-versions/get", name="wood", version="1")["model_version"]
    assert (version["tags"], version["aliases"]) == (tags({"b": "2"}), ["best"])
    assert version["last_updated_timestamp"] == renamed["last_updated_timestamp"]
    assert outcome_of(api, "GET", "registered-models/get", name="forest") == MISSING
    assert outcome_of(api, "GET", "model-versions/get", name="forest", version="1") == MISSING
    assert api.post("registered-models/rename", name="wood", new_name="wood")["registered_model"]["name"] == "wood"


def test_a_rename_to_a_name_that_is_taken_changes_nothing(api: Api) -> None:
    a_registered_model(api, "a")
    a_prompt(api, "b")
    assert outcome_of(api, "POST", "registered-models/rename", name="a", new_name="b") == TAKEN
    assert outcome_of(api, "POST", "registered-models/rename", name="c", new_name="b") == MISSING
    assert outcome_of(api, "POST", "registered-models/rename", name="a", new_name="x/y") == INVALID
    assert outcome_of(api, "POST", "registered-models/rename", name="a") == INVALID
    assert api.get("registered-models/get", name="a")["registered_model"]["name"] == "a"


def test_a_model_is_deleted_with_its_versions_and_its_numbers_are_free(api: Api) -> None:
    a_registered_model(api, tags=tags({"a": "1"}))
    a_version(api, tags=tags({"b": "2"}))
    a_version(api)
    api.post("registered-models/alias", name="forest", alias="best", version="2")
    assert api.delete("registered-models/delete", name="forest") == {}
    assert outcome_of(api, "DELETE", "registered-models/delete", name="forest") == MISSING
    assert a_registered_model(api).keys() == {"name", "creation_timestamp", "last_updated_timestamp"}
    assert a_version(api)["version"] == "1"
    assert "tags" not in api.get("model-versions/get", name="forest", version="1")["model_version"]


def test_tags_are_written_over_and_deleted(api: Api) -> None:
    before = a_registered_model(api, tags=tags({"a": "1"}))
    for key, value in (("a", "2"), ("b", "3"), ("c", "v" * 5000)):
        assert api.post("registered-models/set-tag", name="forest", key=key, value=value) == {}
    for _ in range(2):
        assert api.delete("registered-models/delete-tag", name="forest", key="b") == {}
    after = api.get("registered-models/get", name="forest")["registered_model"]
    assert after == {**before, "tags": tags({"a": "2", "c": "v" * 5000})}


def test_aliases_are_set_moved_and_deleted(api: Api) -> None:
    a_registered_model(api)
    first, second = a_version(api), a_version(api)
    assert api.post("registered-models/alias", name="forest", alias="best", version="1") == {}
    api.post("registered-models/alias", name="forest", alias="é-_9", version="1")
    api.post("registered-models/alias", name="forest", alias="best", version="2")
    assert api.get("registered-models/alias", name="forest", alias="best") == {
        "model_version": {**second, "aliases": ["best"]}
    }
    assert api.get("registered-models/get", name="forest")["registered_model"]["aliases"] == [
        {"alias": "best", "version": "2"},
        {"alias": "é-_9", "version": "1"},
    ]
    assert api.get("model-versions/get", name="forest", version="1") == {
        "model_version": {**first, "aliases": ["é-_9"]}
    }
    for _ in range(2):
        assert api.delete("registered-models/alias", name="forest", alias="best") == {}
    refused = refusal_of(api, "GET", "registered-models/alias", name="forest", alias="best")
    assert (refused.http_status, refused.error_code) == INVALID
    assert refused.message == "Registered model alias best not found."


@pytest.mark.parametrize("alias", ["a b", "a/b", "latest", "LATEST", "v1", "V12", "x" * 256, ""])
def test_some_aliases_are_not_to_be_given(api: Api, alias: str) -> None:
    a_registered_model(api)
    a_version(api)
    assert outcome_of(api, "POST", "registered-models/alias", name="forest", alias=alias, version="1") == INVALID


def test_latest_is_the_highest_version_that_is_left(api: Api) -> None:
    a_registered_model(api)
    assert outcome_of(api, "GET", "registered-models/alias", name="forest", alias="latest") == MISSING
    for _ in range(3):
        a_version(api)
    api.delete("model-versions/delete", name="forest", version="3")
    found = api.get("registered-models/alias", name="forest", alias="Latest")["model_version"]
    assert found["version"] == "2"


def test_an_alias_is_of_a_version_that_is_there(api: Api) -> None:
    a_registered_model(api)
    a_version(api)
    api.post("registered-models/alias", name="forest", alias="best", version="1")
    api.delete("model-versions/delete", name="forest", version="1")
    assert outcome_of(api, "GET", "registered-models/alias", name="forest", alias="best") == INVALID
    assert "aliases" not in api.get("registered-models/get", name="forest")["registered_model"]
    for version in ("1", "2", "99999999999"):
        assert outcome_of(api, "POST", "registered-models/alias", name="forest", alias="b", version=version) == MISSING
    assert outcome_of(api, "POST", "registered-models/alias", name="forest", alias="b", version="x") == INVALID


def test_the_latest_versions_are_one_of_each_stage(api: Api) -> None:
    a_registered_model(api)
    for stage in ("Production", "None", "None", "Archived", "Archived"):
        number = a_version(api)["version"]
        api.post("model-versions/transition-stage", name="forest", version=number, stage=stage)
    api.delete("model-versions/delete", name="forest", version="5")
    api.post("registered-models/alias", name="forest", alias="best", version="3")

    def latest(**fields: Any) -> list[tuple[str, str]]:
        found = api.post("registered-models/get-latest-versions", name="forest", **fields)
        return [(each["version"], each["current_stage"]) for each in found.get("model_versions", [])]

    assert latest() == [("1", "Production"), ("3", "None"), ("4", "Archived")]
    assert latest(stages=["production", "NONE"]) == [("1", "Production"), ("3", "None")]
    assert latest(stages=["Staging"]) == []
    got = api.get("registered-models/get-latest-versions", name="forest", stages=["None"])["model_versions"]
    assert [each["aliases"] for each in got] == [["best"]]
    model = api.get("registered-models/get", name="forest")["registered_model"]
    assert [each["version"] for each in model["latest_versions"]] == ["1", "3", "4"]
    assert not any("aliases" in each for each in model["latest_versions"])
    assert outcome_of(api, "POST", "registered-models/get-latest-versions", name="forest", stages=["x"]) == INVALID


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "get", {}),
        ("PATCH", "update", {"description": "d"}),
        ("POST", "rename", {"new_name": "other"}),
        ("DELETE", "delete", {}),
        ("POST", "set-tag", {"key": "k", "value": "v"}),
        ("DELETE", "delete-tag", {"key": "k"}),
        ("POST", "alias", {"alias": "a", "version": "1"}),
        ("DELETE", "alias", {"alias": "a"}),
        ("GET", "alias", {"alias": "a"}),
        ("POST", "get-latest-versions", {}),
        ("GET", "get-latest-versions", {}),
    ],
)
def test_a_missing_model_is_not_found(api: Api, method: str, path: str, fields: dict[str, str]) -> None:
    assert outcome_of(api, method, f"registered-models/{path}", name="nothing", **fields) == MISSING
