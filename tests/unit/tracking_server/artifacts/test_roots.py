from pathlib import Path

import pytest

from tracking_server.artifacts.memory import MemoryStore
from tracking_server.artifacts.open_store import absolute_uri, local_folder, open_roots, open_store
from tracking_server.artifacts.paths import InvalidPath
from tracking_server.artifacts.roots import Location, Root, parse_location, place_of, within
from tracking_server.artifacts.store import Place
from tracking_server.errors import ConfigInvalid

PROXIED = MemoryStore()
FOLDER = MemoryStore()
ROOTS = (
    Root(location=Location(origin="mlflow-artifacts://", path=""), store=PROXIED),
    Root(location=Location(origin="", path="data/mlruns"), store=FOLDER),
    Root(location=Location(origin="s3://bucket", path="prefix"), store=FOLDER),
)
HERE = Path("/srv/trackplane")


@pytest.mark.parametrize(
    ("uri", "store", "key"),
    [
        ("mlflow-artifacts:/5/run/artifacts", PROXIED, "5/run/artifacts"),
        ("mlflow-artifacts:/", PROXIED, ""),
        ("mlflow-artifacts:/with%20space", PROXIED, "with space"),
        ("mlflow-artifacts://name-of-old.example.com:5000/5", PROXIED, "5"),
        ("http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts/5/run%20x/artifacts", PROXIED, "5/run x/artifacts"),
        ("https://ml.example.com/prefix/api/2.0/mlflow-artifacts/artifacts/5", PROXIED, "5"),
        ("http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts", PROXIED, ""),
        ("/data/mlruns/0/run/artifacts", FOLDER, "0/run/artifacts"),
        ("/data/mlruns", FOLDER, ""),
        ("/data/mlruns/", FOLDER, ""),
        ("file:///data/mlruns/0", FOLDER, "0"),
        ("file:/data/mlruns/0", FOLDER, "0"),
        ("file://localhost/data/mlruns/a%20b", FOLDER, "a b"),
        ("s3://bucket/prefix/1", FOLDER, "1"),
    ],
)
def test_a_uri_below_a_root_is_a_key_of_its_store(uri: str, store: MemoryStore, key: str) -> None:
    assert place_of(uri, ROOTS) == Place(store=store, key=key)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/data",
        "/data/mlruns2/0",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://other-host/data/mlruns/0",
        "http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts/5?x",
        "http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts2/5",
        "http://127.0.0.1:5000/artifacts/5",
        "s3://bucket/prefix2/1",
        "s3://other/prefix/1",
        "s3://bucket/prefix/1?versionId=3",
        "s3://bucket/prefix/1#x",
        "gs://bucket/prefix/1",
        "http://[broken",
        "dbfs:/data/mlruns/0",
    ],
)
def test_other_uris_are_not_ours(uri: str) -> None:
    assert place_of(uri, ROOTS) is None


@pytest.mark.parametrize(
    "uri",
    [
        "/data/mlruns/../../etc",
        "file:///data/mlruns/%2e%2e/secret",
        "mlflow-artifacts:/a/../b",
        "http://127.0.0.1/api/2.0/mlflow-artifacts/artifacts/%2e%2e/b",
        "s3://bucket/prefix//x",
    ],
)
def test_a_uri_that_would_leave_its_root_is_refused(uri: str) -> None:
    with pytest.raises(InvalidPath):
        place_of(uri, ROOTS)


def test_within() -> None:
    assert within(Place(store=PROXIED, key="5/run"), "a/b").key == "5/run/a/b"
    assert within(Place(store=PROXIED, key=""), "a").key == "a"
    assert within(Place(store=PROXIED, key="5"), "").key == "5"


def test_a_windows_path_is_a_strange_relative_path() -> None:
    assert parse_location("C:\\data") == Location(origin="", path="C:\\data")


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("./mlartifacts", Path("/srv/trackplane/mlartifacts")),
        ("mlartifacts/", Path("/srv/trackplane/mlartifacts")),
        ("/data", Path("/data")),
        ("file:///data/a%20b", Path("/data/a b")),
        ("s3://bucket", None),
        ("file://host/x", None),
    ],
)
def test_the_folder_that_is_meant(uri: str, folder: Path | None) -> None:
    assert local_folder(uri, HERE) == folder


def test_a_relative_root_is_told_to_runs_as_an_absolute_one() -> None:
    assert absolute_uri("./mlruns", HERE) == "/srv/trackplane/mlruns"
    for uri in ("/data", "file:///data", "mlflow-artifacts:/", "s3://bucket/x"):
        assert absolute_uri(uri, HERE) == uri


@pytest.mark.parametrize("uri", ["ftp://host/x", "file:///data?x", "dbfs:/x", "http://host/x"])
def test_what_is_no_store_is_refused(uri: str) -> None:
    with pytest.raises(ConfigInvalid, match="it must be a folder"):
        open_store(uri, HERE)


def test_a_default_root_with_a_host_is_the_servers_own() -> None:
    roots = open_roots("/data", "mlflow-artifacts://ml.example.com/prefix", HERE)
    for uri in ("mlflow-artifacts:/prefix/5", "mlflow-artifacts://ml.example.com/prefix/5", "/data/prefix/5"):
        place = place_of(uri, roots)
        assert place is not None
        assert place.key == "prefix/5"


def test_a_default_root_beside_the_destination_is_opened_too() -> None:
    for root, uri in (
        ("./mlruns", "/srv/trackplane/mlruns/0/run"),
        ("s3://bucket/prefix", "s3://bucket/prefix/0/run"),
    ):
        roots = open_roots("/data", root, HERE)
        place = place_of(uri, roots)
        assert place is not None
        assert place.key == "0/run"
        assert place_of("/data/1", roots) is not None
    assert place_of("s3://bucket/other/0", open_roots("/data", "s3://bucket/prefix", HERE)) is None


def test_a_default_root_that_is_no_store_is_left_to_clients() -> None:
    roots = open_roots("/data", "dbfs:/x", HERE)
    assert place_of("dbfs:/x/1", roots) is None
