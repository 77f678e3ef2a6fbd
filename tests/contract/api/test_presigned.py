"""Signing for a run or a model: it is looked up, and the store is not asked."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.api_calls import Api
from tests.support.databases import counted_statements
from tests.support.emulators import S3_ENVIRON
from tracking_server.artifacts.open_store import open_roots
from tracking_server.artifacts.options import StoreOptions
from tracking_server.database.transactions import Database
from tracking_server.entities.artifacts import CreateMultipartUpload, CreatePresignedUploadUrl
from tracking_server.errors import InvalidParameter, NotImplementedHere
from tracking_server.services.context import Context
from tracking_server.services.presigned import (
    MULTIPART_UNSUPPORTED,
    abilities,
    create_multipart_upload,
    create_presigned_upload_url,
)

ROOT = "s3://bucket/own"


@pytest.fixture
def signing(api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Over a bucket that is nowhere."""
    for name, value in S3_ENVIRON.items():
        monkeypatch.setenv(name, value)
    options = StoreOptions.from_environ({**S3_ENVIRON, "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:1"})
    roots = open_roots("s3://bucket/proxied", ROOT, tmp_path, options)
    return replace(api.context, presigns=True, artifact_store=roots[0].store, artifact_roots=roots)


@pytest.mark.parametrize(("owner", "budget"), [("run_id", 1), ("model_id", 4)])
def test_an_address_costs_what_finding_its_owner_costs(
    api: Api, database: Database, signing: Context, owner: str, budget: int
) -> None:
    experiment = api.post("experiments/create", name="own", artifact_location=ROOT)["experiment_id"]
    ids = {
        "run_id": api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"],
        "model_id": api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"],
    }
    asked = CreatePresignedUploadUrl(**{owner: ids[owner]}, path="folder/file")
    with counted_statements(database) as statements:
        answer = create_presigned_upload_url(asked, signing)
    assert f"{ids[owner]}/artifacts/folder/file?" in answer.presigned_url
    assert len(statements) == budget, "\n".join(statements)


def test_artifacts_that_are_proxied_have_no_address_of_their_own(api: Api, signing: Context) -> None:
    location = "mlflow-artifacts:/here"
    experiment = api.post("experiments/create", name="proxied", artifact_location=location)["experiment_id"]
    run = api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    with pytest.raises(InvalidParameter, match=location):
        create_presigned_upload_url(CreatePresignedUploadUrl(run_id=run, path="x"), signing)


def test_new_runs_are_signed_for_when_they_are_in_the_store(signing: Context) -> None:
    proxied = abilities(replace(signing, default_artifact_root="mlflow-artifacts:/"))
    own = abilities(replace(signing, default_artifact_root=ROOT))
    assert (proxied.parts, proxied.downloads, proxied.own_roots) == (True, True, False)
    assert (own.parts, own.downloads, own.own_roots) == (True, True, True)


def test_a_server_that_does_not_sign_says_what_the_client_knows(signing: Context) -> None:
    quiet = replace(signing, presigns=False)
    with pytest.raises(NotImplementedHere, match=f"^{MULTIPART_UNSUPPORTED}: "):
        create_multipart_upload(CreateMultipartUpload(path="C:\\me\\big.bin", num_parts=2), quiet)
