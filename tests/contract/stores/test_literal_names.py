"""The variables and URIs of the documentation, to the letter. The clouds' own names are answered by emulators."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from tests.support.artifact_stores import GROUP
from tests.support.cloud_names import cloud_names
from tests.support.emulators import AZURE_KEY, LITERAL_ACCOUNT, S3_ENVIRON, Emulator
from tests.support.http import call, call_json
from tests.support.server import live_server

AZURE_HOST = "your_storage_account.blob.core.windows.net"


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
@pytest.mark.parametrize(
    ("environ", "root", "told"),
    [
        pytest.param(
            {"MLFLOW_GCS_ENDPOINT": "storage.googleapis.com"},
            "gs://your-bucket/path/to/artifacts",
            "gs://your-bucket/path/to/artifacts",
            id="gs",
        ),
        pytest.param({}, "gs://your-bucket/path/to/artifacts", "gs://your-bucket/path/to/artifacts", id="gs-default"),
        pytest.param(
            {"MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT": AZURE_HOST, "AZURE_STORAGE_ACCESS_KEY": AZURE_KEY},
            "azure://your-container/path/to/artifacts",
            f"wasbs://your-container@{AZURE_HOST}/path/to/artifacts",
            id="azure",
        ),
        pytest.param(
            {"AZURE_STORAGE_ACCESS_KEY": AZURE_KEY},
            f"abfss://your-container@{AZURE_HOST.replace('blob', 'dfs')}/path/to/artifacts",
            f"abfss://your-container@{AZURE_HOST.replace('blob', 'dfs')}/path/to/artifacts",
            id="abfss",
        ),
        pytest.param(
            {**S3_ENVIRON, "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path"},
            "s3://your-bucket/path/to/artifacts",
            "s3://your-bucket/path/to/artifacts",
            id="s3",
        ),
    ],
)
def test_a_server_runs_with_the_words_of_the_documentation(
    clouds: Mapping[str, str], tmp_path: Path, environ: dict[str, str], root: str, told: str
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
