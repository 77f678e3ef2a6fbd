"""`trackplane artifacts check` on stores that others wrote: what works, and the word for each thing that does not."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.support.artifact_stores import GROUP, REMOTE
from tests.support.emulators import BUCKET, Emulator
from tracking_server.__main__ import main


def check(report: Path, *words: str, environ: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    env = {"TRACKPLANE_REPORT_FILE": str(report), **(environ or {})}
    result = CliRunner().invoke(main, ["artifacts", "check", *words], env=env)
    return result.exit_code, json.loads(report.read_text())


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    request.getfixturevalue(f"{request.param}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(request.param)
    return found


def test_a_folder_can_be_used_and_is_left_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "artifacts"
    place.mkdir()
    code, report = check(tmp_path / "report", str(place))
    assert (code, report["ok"], report["steps"]) == (0, True, ["write", "read", "list", "delete"])
    assert list(place.iterdir()) == []


def test_a_bucket_can_be_used(emulator: Emulator, tmp_path: Path) -> None:
    environ = {**emulator.environ, "MLFLOW_ARTIFACTS_DESTINATION": f"{emulator.uri}/some/where"}
    code, report = check(tmp_path / "report", environ=environ)
    assert (code, report["ok"], report["steps"]) == (0, True, ["write", "read", "list", "delete"])
    assert report["root"] == f"{emulator.uri}/some/where"


def test_a_bucket_that_is_not_there(emulator: Emulator, tmp_path: Path) -> None:
    root = emulator.uri.replace(BUCKET, "not-there")
    code, report = check(tmp_path / "report", root, environ=emulator.environ)
    assert (code, report["ok"], report["reason"]) == (18, False, "NoSuchBucket")


@GROUP
def test_keys_that_are_wrong(s3: Emulator, tmp_path: Path) -> None:
    environ = {**s3.environ, "AWS_SECRET_ACCESS_KEY": "not-the-key"}
    code, report = check(tmp_path / "report", s3.uri, environ=environ)
    assert (code, report["reason"]) == (18, "AccessDenied")
    assert "not-the-key" not in json.dumps(report)


def test_nobody_listens(tmp_path: Path) -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_MAX_ATTEMPTS": "1",
        "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    code, report = check(tmp_path / "report", "s3://models", environ=environ)
    assert (code, report["reason"]) == (18, "ArtifactStoreUnreachable")


def test_what_is_no_place_for_artifacts(tmp_path: Path) -> None:
    code, report = check(tmp_path / "report", "ftp://host/path")
    assert (code, report["reason"]) == (10, "ConfigInvalid")
