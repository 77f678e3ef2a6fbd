"""The variables and URIs of the documentation, to the letter. The clouds' own names are answered by emulators."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.support.artifact_stores import GROUP
from tests.support.client import last_line, run_script
from tests.support.cloud_names import cloud_names
from tests.support.emulators import AZURE_KEY, LITERAL_ACCOUNT, S3_ENVIRON, Emulator
from tests.support.environments import ROOT
from tests.support.http import call, call_json
from tests.support.server import live_server

AZURE_HOST = "your_storage_account.blob.core.windows.net"
SETTINGS: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "gs": (
        {"MLFLOW_GCS_ENDPOINT": "storage.googleapis.com"},
        "gs://your-bucket/path/to/artifacts",
        "gs://your-bucket/path/to/artifacts",
    ),
    "gs-default": ({}, "gs://your-bucket/path/to/artifacts", "gs://your-bucket/path/to/artifacts"),
    "azure": (
        {"MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT": AZURE_HOST, "AZURE_STORAGE_ACCESS_KEY": AZURE_KEY},
        "azure://your-container/path/to/artifacts",
        f"wasbs://your-container@{AZURE_HOST}/path/to/artifacts",
    ),
    "abfss": (
        {"AZURE_STORAGE_ACCESS_KEY": AZURE_KEY},
        f"abfss://your-container@{AZURE_HOST.replace('blob', 'dfs')}/path/to/artifacts",
        f"abfss://your-container@{AZURE_HOST.replace('blob', 'dfs')}/path/to/artifacts",
    ),
    "s3": (
        {**S3_ENVIRON, "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path"},
        "s3://your-bucket/path/to/artifacts",
        "s3://your-bucket/path/to/artifacts",
    ),
}
"""The environment, the root, and the root as runs tell it. No cloud has a container with an underscore in its name, as
the documentation writes it, nor has an emulator: tests/unit/tracking_server/artifacts/test_addresses.py reads it."""
DIRECT = {name: SETTINGS[name] for name in ("azure", "s3")}
"""For abfss, the client wants the SDK of another service. Of Google, it sends every file in pieces, and fake-gcs-server
answers with an address for them that begins with http, whatever it was asked by; see test_store_modes.py for that."""
FILES = ROOT / "tests" / "contract" / "client" / "scripts" / "files.py"


@pytest.fixture(scope="module")
def clouds(
    s3: Emulator, gcs: Emulator, azure: Emulator, google_key: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    (s3.folder / "your-bucket").mkdir()
    call_json(gcs.url, "POST", "/storage/v1/b?project=p", {"name": "your-bucket"})
    address = azure.url.replace("devstoreaccount1", LITERAL_ACCOUNT)
    connection_string = f"AccountName={LITERAL_ACCOUNT};AccountKey={AZURE_KEY};BlobEndpoint={address}"
    with BlobServiceClient.from_connection_string(connection_string) as service:
        service.get_container_client("your-container").create_container()
    upstreams = {
        "storage.googleapis.com": gcs.url,
        AZURE_HOST: azure.url.removesuffix("/devstoreaccount1"),
        "s3.us-east-1.amazonaws.com": s3.url,
        "s3.amazonaws.com": s3.url,
    }
    with cloud_names(tmp_path_factory.mktemp("clouds"), upstreams) as environ:
        yield {**environ, "GOOGLE_APPLICATION_CREDENTIALS": str(google_key)}


@GROUP
@pytest.mark.parametrize(("environ", "root", "told"), SETTINGS.values(), ids=SETTINGS)
def test_a_server_runs_with_the_words_of_the_documentation(
    clouds: Mapping[str, str], tmp_path: Path, environ: Mapping[str, str], root: str, told: str
) -> None:
    with live_server(tmp_path, environ={**clouds, **environ, "ARTIFACT_ROOT": root}) as server:
        run = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json["run"]["info"]
        run_id = run["run_id"]
        assert run["artifact_uri"] == f"{told}/0/{run_id}/artifacts"
        path = f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path=note.txt"
        assert call(server.url, "POST", path, b"note").status == 200
        assert call(server.url, "GET", f"/get-artifact?run_id={run_id}&path=note.txt").body == b"note"
        listed = call(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={run_id}").json
        assert listed["files"] == [{"path": "note.txt", "is_dir": False, "file_size": 4}]


@GROUP
@pytest.mark.parametrize(("environ", "root", "told"), DIRECT.values(), ids=DIRECT)
def test_the_client_goes_to_the_cloud_itself(
    clouds: Mapping[str, str], tmp_path: Path, environ: Mapping[str, str], root: str, told: str
) -> None:
    """With the same words in its own environment."""
    with live_server(tmp_path, environ={**clouds, **environ, "ARTIFACT_ROOT": root}) as server:
        found = last_line(run_script(FILES, server.url, home=tmp_path, environ={**clouds, **environ}))
    assert found["uri"].startswith(f"{told}/0/")
    assert (found["sizes_are_right"], found["contents_are_right"]) == (True, True)
    assert "mlflow-artifacts" not in server.log.read_text()
