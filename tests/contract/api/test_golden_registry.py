"""The registry of a database that MLflow wrote reads as MLflow read it, on every engine."""

import json
from pathlib import Path
from typing import Any

from tests.support.api_calls import Api
from tests.support.golden import FILE, fill_with_golden
from tracking_server.database.transactions import Database


def as_mapping(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in tags}


def read_version(api: Api, name: str, number: str) -> dict[str, Any]:
    version = api.get("model-versions/get", name=name, version=number)["model_version"]
    uri = api.get("model-versions/get-download-uri", name=name, version=number)["artifact_uri"]
    return {**version, "tags": as_mapping(version.get("tags", [])), "download_uri": uri}


def test_the_registry_reads_as_mlflow_read_it(api: Api, database: Database, tmp_path: Path) -> None:
    fill_with_golden(database, tmp_path)
    written: list[dict[str, Any]] = json.loads(FILE.with_suffix(".json").read_text())["registered_models"]
    assert len(written) == 5
    for expected in written:
        name = expected["name"]
        model = api.get("registered-models/get", name=name)["registered_model"]
        assert {
            "name": model["name"],
            "description": model.get("description", ""),
            "tags": as_mapping(model.get("tags", [])),
            "aliases": {alias["alias"]: alias["version"] for alias in model.get("aliases", [])},
            "creation_timestamp": model["creation_timestamp"],
            "last_updated_timestamp": model["last_updated_timestamp"],
        } == {key: value for key, value in expected.items() if key not in {"versions", "is_prompt"}}
        for version in expected["versions"]:
            found = read_version(api, name, version["version"])
            told = {key: value for key, value in version.items() if value is not None}
            assert {key: found.get(key) for key in told} == told
    models = [each["name"] for each in written if not each["is_prompt"]]
    found_models = api.get("registered-models/search")["registered_models"]
    assert sorted(each["name"] for each in found_models) == sorted(models)
    versions = {(each["name"], each["version"]) for each in api.get("model-versions/search")["model_versions"]}
    assert versions == {
        (each["name"], version["version"]) for each in written if not each["is_prompt"] for version in each["versions"]
    }
