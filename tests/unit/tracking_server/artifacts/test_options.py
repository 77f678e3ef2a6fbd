import pytest

from tracking_server.artifacts.options import VARIABLES, StoreOptions
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        ({}, StoreOptions()),
        ({"MLFLOW_S3_ENDPOINT_URL": "http://s3:9000/"}, StoreOptions(s3_endpoint_url="http://s3:9000")),
        ({"MLFLOW_S3_ENDPOINT_URL": "s3.example.com"}, StoreOptions(s3_endpoint_url="https://s3.example.com")),
        ({"MLFLOW_S3_IGNORE_TLS": "true"}, StoreOptions(s3_ignores_tls=True)),
        ({"MLFLOW_S3_UPLOAD_EXTRA_ARGS": '{"ACL": "private"}'}, StoreOptions(s3_upload_extra_args={"ACL": "private"})),
        ({"MLFLOW_S3_EXPECTED_BUCKET_OWNER": "123"}, StoreOptions(s3_expected_bucket_owner="123")),
        ({"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path"}, StoreOptions(s3_addressing_style="path")),
        ({"MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION": "s3"}, StoreOptions(s3_signature_version="s3")),
        (
            {"AWS_MAX_ATTEMPTS": "9", "AWS_RETRY_MODE": "adaptive"},
            StoreOptions(s3_max_attempts=9, s3_retry_mode="adaptive"),
        ),
        (
            {"MLFLOW_GCS_ENDPOINT": "storage.googleapis.com"},
            StoreOptions(gcs_endpoint="https://storage.googleapis.com"),
        ),
        ({"STORAGE_EMULATOR_HOST": "localhost:4443"}, StoreOptions(gcs_endpoint="http://localhost:4443")),
        ({"MLFLOW_GCS_UPLOAD_CHUNK_SIZE": "524288"}, StoreOptions(gcs_upload_chunk_bytes=524288)),
        ({"MLFLOW_GCS_UPLOAD_CHUNK_SIZE": "-1"}, StoreOptions()),
        ({"MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE": "1000"}, StoreOptions(gcs_download_chunk_bytes=1000)),
        (
            {"MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT": "your_storage_account.blob.core.windows.net"},
            StoreOptions(azure_endpoint="https://your_storage_account.blob.core.windows.net"),
        ),
        ({"AZURE_STORAGE_ACCOUNT_NAME": "a"}, StoreOptions(azure_account="a")),
        ({"AZURE_STORAGE_SAS_TOKEN": "?sig=x"}, StoreOptions(azure_sas_token=Secret("?sig=x"))),
        ({"AZURE_STORAGE_ACCESS_KEY": " "}, StoreOptions()),
        ({"MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "-1"}, StoreOptions(timeout_seconds=-1.0)),
    ],
)
def test_what_the_environment_says(environ: dict[str, str], options: StoreOptions) -> None:
    assert StoreOptions.from_environ(environ) == options


def test_every_variable_is_read() -> None:
    read: set[str] = set()

    class Environ(dict[str, str]):
        def get(self, key: str, default: str = "") -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride] - narrower on purpose
            read.add(key)
            return default

    StoreOptions.from_environ(Environ())
    assert {variable.name for variable in VARIABLES} | {"AZURE_STORAGE_ACCOUNT_NAME"} == read


def test_all_faults_are_told_at_once_and_no_secret() -> None:
    with pytest.raises(ConfigInvalid) as caught:
        StoreOptions.from_environ(
            {
                "MLFLOW_S3_ENDPOINT_URL": "https://key:pass-word@host",
                "MLFLOW_S3_IGNORE_TLS": "perhaps",
                "MLFLOW_S3_UPLOAD_EXTRA_ARGS": "[1]",
                "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "dns",
                "MLFLOW_GCS_ENDPOINT": "ftp://x",
                "AWS_MAX_ATTEMPTS": "0",
                "AWS_RETRY_MODE": "never",
                "MLFLOW_GCS_UPLOAD_CHUNK_SIZE": "1000",
                "MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE": "0",
                "MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT": "soon",
            }
        )
    faults = caught.value.message.splitlines()
    assert len(faults) == 10
    assert all(" must " in fault for fault in faults)
    assert "pass-word" not in caught.value.message


def test_secrets_are_not_shown() -> None:
    options = StoreOptions.from_environ({"AZURE_STORAGE_ACCESS_KEY": "s3cret", "AZURE_STORAGE_SAS_TOKEN": "s3cret"})
    assert "s3cret" not in repr(options)
