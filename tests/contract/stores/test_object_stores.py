"""What object stores have of their own: parts, pages, batches, marks of folders, and whoever may not do what."""

from collections.abc import Callable

import pytest

from tests.support.artifact_stores import GROUP, REMOTE, content_of, names_of, put, store_through, unfinished_in
from tests.support.emulators import Emulator
from tracking_server.artifacts.azure_blob import AzureContainer
from tracking_server.artifacts.gcs import GcsBucket
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.s3 import S3Bucket
from tracking_server.artifacts.store import (
    ByteRange,
    FinalBytes,
    StoreDenied,
    StoreMisconfigured,
    StoreUnavailable,
)
from tracking_server.errors import TrackingError

PART = 5 * 1024 * 1024
MANY = 303
CALLS: dict[str, Callable[[ObjectStore], object]] = {
    "open": lambda store: store.open("file"),
    "stat": lambda store: store.stat("file"),
    "list": lambda store: store.list("folder"),
    "put": lambda store: put(store, "file", b"x"),
    "put-large": lambda store: put(store, "file", bytes(PART + 1)),
    "delete": lambda store: store.delete("file"),
    "delete-prefix": lambda store: store.delete_prefix("folder"),
}


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


@pytest.mark.parametrize("size", [PART, PART + 1, 2 * PART, 2 * PART + 12345], ids=["one", "more", "two", "odd"])
def test_a_large_file_goes_in_parts_and_comes_back(object_store: ObjectStore, size: int) -> None:
    content = pattern(size)
    with object_store.create("run/large.bin") as writer:
        for start in range(0, size, 700_000):
            writer.write(content[start : start + 700_000])
        stat = writer.commit()
    found = object_store.stat("run/large.bin")
    assert (stat.size_bytes, found.size_bytes, found.etag) == (size, size, stat.etag)
    with object_store.open("run/large.bin") as reader:
        assert b"".join(iter(lambda: reader.read(512 * 1024), b"")) == content
    assert (
        content_of(object_store, "run/large.bin", ByteRange(first=PART - 5, last=PART + 4))
        == content[PART - 5 : PART + 5]
    )
    assert content_of(object_store, "run/large.bin", FinalBytes(count=7)) == content[-7:]
    assert unfinished_in(object_store) == []


@pytest.mark.parametrize("before", [None, b"before"], ids=["new", "replaced"])
def test_a_large_upload_that_is_given_up_leaves_nothing(object_store: ObjectStore, before: bytes | None) -> None:
    if before is not None:
        put(object_store, "run/large", before)
    with object_store.create("run/large") as writer:
        writer.write(bytes(2 * PART + 1))
    assert names_of(object_store, "run") == ([] if before is None else ["large"])
    assert unfinished_in(object_store) == []
    if before is not None:
        assert content_of(object_store, "run/large") == before


def test_a_folder_of_more_than_a_page(object_store: ObjectStore) -> None:
    for number in range(MANY):
        put(object_store, f"run/many/{number:05}", b"12")
    put(object_store, "run/many/folder/file", b"3")
    names: list[str] = []
    after: str | None = ""
    pages = 0
    while after is not None:
        listing = object_store.list("run/many", after=after, limit=100)
        names += [entry.name for entry in listing.entries]
        after, pages = listing.next_after, pages + 1
    # fake-gcs-server tells a folder on every page
    assert sorted(set(names)) == [*(f"{number:05}" for number in range(MANY)), "folder"]
    assert pages in {4, 5}
    deleted = object_store.delete_prefix("run/many")
    assert (deleted.files, deleted.size_bytes, tuple(deleted.leftovers)) == (MANY + 1, 2 * MANY + 1, ())
    assert names_of(object_store, "run") == []


def test_what_stands_for_a_folder_is_not_listed_and_goes_with_it(object_store: ObjectStore) -> None:
    put(object_store, "run/folder/file", b"1")
    make_marker(object_store, "run/folder/inner")
    make_marker(object_store, "run/folder")
    assert names_of(object_store, "run") == ["folder"]
    assert "file" in names_of(object_store, "run/folder")
    assert [entry.is_folder for entry in object_store.list("run").entries] == [True]
    deleted = object_store.delete_prefix("run")
    assert (deleted.files, tuple(deleted.leftovers)) == (1, ())
    assert names_of(object_store, "") == []


def make_marker(store: ObjectStore, folder: str) -> None:
    """As consoles make it, and as Data Lake Storage does."""
    name = store.name_of(folder)
    match store.bucket:
        case S3Bucket() as bucket:
            bucket.client.put_object(Bucket=bucket.name, Key=f"{name}/", Body=b"")
        case GcsBucket() as bucket:
            bucket.blob(f"{name}/").upload_from_string(b"")
        case AzureContainer() as bucket:
            bucket.blob(name).upload_blob(b"", metadata={"hdi_isfolder": "true"})
        case _:
            raise AssertionError


def test_the_type_of_a_file_is_told_to_the_store(object_store: ObjectStore) -> None:
    for name in ("image.png", "data.csv.gz"):
        put(object_store, name, b"x")
    match object_store.bucket:
        case S3Bucket() as bucket:
            types = [
                bucket.client.head_object(Bucket=bucket.name, Key=object_store.name_of(name))["ContentType"]
                for name in ("image.png", "data.csv.gz")
            ]
            assert types == ["image/png", "application/octet-stream"]
        case AzureContainer() as bucket:
            found = bucket.blob(object_store.name_of("image.png")).get_blob_properties()
            assert found.content_settings.content_type == "image/png"
        case _:
            pass


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    request.getfixturevalue(f"{request.param}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("call", [name for name in CALLS if name != "stat"])
def test_a_missing_bucket_is_named(emulator: Emulator, call: str) -> None:
    store = store_through(emulator.name, emulator, emulator.url.removesuffix("/devstoreaccount1"), bucket="not-there")
    with pytest.raises(StoreMisconfigured, match=r"there is no such (bucket|container): make it") as caught:
        CALLS[call](store)
    assert "not-there" in caught.value.message
    assert caught.value.http_status == 400
    store.close()


@pytest.mark.parametrize("call", ["open", "list", "put"])
def test_a_store_that_cannot_be_reached_is_named(emulator: Emulator, call: str) -> None:
    store = store_through(emulator.name, emulator, "http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="cannot be reached, for nobody listens there: check") as caught:
        CALLS[call](store)
    assert caught.value.http_status == 503
    store.close()


@GROUP
@pytest.mark.parametrize("call", CALLS)
def test_s3_with_a_wrong_secret(s3: Emulator, s3_bucket: S3Bucket, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-key")
    store = store_through("s3", s3, s3.url)
    with pytest.raises(StoreDenied) as caught:
        CALLS[call](store)
    assert_denied(caught.value, "wrong-secret-key", "emulated")
    store.close()


@GROUP
def test_s3_without_credentials(s3: Emulator, s3_bucket: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    store = store_through("s3", s3, s3.url)
    with pytest.raises(StoreDenied, match="no credentials for S3: set AWS_ACCESS_KEY_ID"):
        store.open("file")
    store.close()


@GROUP
def test_s3_with_another_owner_than_expected(s3: Emulator, s3_bucket: S3Bucket) -> None:
    store = store_through("s3", s3, s3.url, MLFLOW_S3_EXPECTED_BUCKET_OWNER="123456789012")
    for call in ("put", "list"):
        with pytest.raises(StoreDenied):
            CALLS[call](store)
    store.close()


@GROUP
def test_s3_takes_extra_arguments_where_they_fit(s3: Emulator, s3_bucket: S3Bucket) -> None:
    extra = '{"Metadata": {"team": "vision"}, "StorageClass": "STANDARD"}'
    store = store_through("s3", s3, s3.url, MLFLOW_S3_UPLOAD_EXTRA_ARGS=extra)
    for key, size in (("small", 3), ("large", PART + 1)):
        put(store, key, bytes(size))
        assert content_of(store, key, FinalBytes(count=3)) == bytes(3)
        found = s3_bucket.client.head_object(Bucket=s3_bucket.name, Key=store.name_of(key))
        assert found["Metadata"] == {"team": "vision"}
    store.close()
    wrong = store_through("s3", s3, s3.url, MLFLOW_S3_UPLOAD_EXTRA_ARGS='{"StorageClass": 7}')
    with pytest.raises(StoreMisconfigured, match="MLFLOW_S3_UPLOAD_EXTRA_ARGS"):
        put(wrong, "file", b"x")
    wrong.close()


@GROUP
@pytest.mark.parametrize("call", CALLS)
def test_azure_with_a_wrong_key(azure: Emulator, call: str) -> None:
    wrong = "d3Jvbmcgc2VjcmV0"
    connection_string = azure.environ["AZURE_STORAGE_CONNECTION_STRING"]
    key = connection_string.partition("AccountKey=")[2].partition(";")[0]
    store = store_through(
        "azure", azure, azure.url, AZURE_STORAGE_CONNECTION_STRING=connection_string.replace(key, wrong)
    )
    with pytest.raises(StoreDenied) as caught:
        CALLS[call](store)
    assert_denied(caught.value, wrong)
    store.close()


def assert_denied(error: TrackingError, *secrets: str) -> None:
    assert (error.http_status, error.error_code) == (403, "PERMISSION_DENIED")
    for secret in secrets:
        assert secret not in error.message


@GROUP
def test_gcs_reads_in_calls_of_a_size_that_is_set(gcs: Emulator) -> None:
    store = store_through(
        "gcs", gcs, gcs.url, MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE="1000", MLFLOW_GCS_UPLOAD_CHUNK_SIZE="262144"
    )
    content = pattern(600_000)
    put(store, "file", content)
    with store.open("file") as reader:
        assert reader.read(10_000) == content[:1000]
        assert reader.read(10_000) == content[1000:2000]
    assert content_of(store, "file", ByteRange(first=1999, last=4010)) == content[1999:4011]
    put(store, "empty", b"")
    assert content_of(store, "empty") == b""
    store.close()
