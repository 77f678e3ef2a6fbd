import pytest

from tracking_server.artifacts.addresses import (
    Address,
    AzureAddress,
    GcsAddress,
    S3Address,
    client_uri,
    parse_address,
)
from tracking_server.artifacts.options import NO_OPTIONS, StoreOptions
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret

ACCOUNT = StoreOptions(azure_endpoint="https://your_storage_account.blob.core.windows.net")
HOST = "your_storage_account.blob.core.windows.net"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("s3://your-bucket/path/to/artifacts", S3Address(bucket="your-bucket", prefix="path/to/artifacts")),
        ("s3://bucket", S3Address(bucket="bucket", prefix="")),
        ("s3://bucket/", S3Address(bucket="bucket", prefix="")),
        ("gs://your-bucket/path/to/artifacts/", GcsAddress(bucket="your-bucket", prefix="path/to/artifacts")),
        (f"wasbs://box@{HOST}/path", AzureAddress(container="box", host=HOST, prefix="path")),
        (
            "wasb://box@A.blob.core.windows.net",
            AzureAddress(container="box", host="a.blob.core.windows.net", prefix=""),
        ),
        (
            "abfss://box@a.dfs.core.windows.net/x",
            AzureAddress(container="box", host="a.blob.core.windows.net", prefix="x"),
        ),
        (
            "azure://your_container/path/to/artifacts",
            AzureAddress(container="your_container", host=HOST, prefix="path/to/artifacts"),
        ),
        ("/data", None),
        ("file:///data", None),
        ("dbfs:/x", None),
    ],
)
def test_what_a_uri_names(uri: str, address: Address | None) -> None:
    assert parse_address(uri, ACCOUNT) == address


@pytest.mark.parametrize(
    ("options", "host"),
    [
        (StoreOptions(azure_account="acct"), "acct.blob.core.windows.net"),
        (
            StoreOptions(azure_endpoint="http://127.0.0.1:10000/devstoreaccount1"),
            "devstoreaccount1.blob.core.windows.net",
        ),
        (StoreOptions(azure_endpoint="https://acct.blob.core.usgovcloudapi.net"), "acct.blob.core.usgovcloudapi.net"),
        (
            StoreOptions(
                azure_connection_string=Secret("AccountName=acct;AccountKey=x;EndpointSuffix=core.windows.net")
            ),
            "acct.blob.core.windows.net",
        ),
    ],
)
def test_the_account_of_a_short_uri_is_that_of_the_configuration(options: StoreOptions, host: str) -> None:
    assert parse_address("azure://box/x", options) == AzureAddress(container="box", host=host, prefix="x")
    assert client_uri("azure://box/x", options) == f"wasbs://box@{host}/x"


def test_clients_are_told_every_other_uri_as_it_is() -> None:
    for uri in ("s3://b/x", "gs://b/x", "abfss://c@a.dfs.core.windows.net/x", "/data", "mlflow-artifacts:/"):
        assert client_uri(uri, ACCOUNT) == uri


@pytest.mark.parametrize(
    ("uri", "part"),
    [
        ("s3:///path", "names no bucket"),
        ("gs://", "names no bucket"),
        ("s3://key:secret@bucket/x", "more than a bucket"),
        ("s3://bucket/x?secret=1", "more than a bucket"),
        ("s3://bucket:80/x", "more than a bucket"),
        ("s3://bucket/a//b", "empty segment"),
        ("s3://bucket/../x", "'..'"),
        ("wasbs://box/x", "names no account"),
        ("azure://box/x", "set MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT"),
        ("wasbs://@a.blob.core.windows.net/x", "names no container"),
    ],
)
def test_a_uri_that_cannot_be_a_root_is_refused(uri: str, part: str) -> None:
    with pytest.raises(ConfigInvalid, match=part) as caught:
        parse_address(uri, NO_OPTIONS)
    assert "secret=" not in caught.value.message
