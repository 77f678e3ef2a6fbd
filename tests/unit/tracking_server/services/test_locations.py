"""Locations of artifacts: 4.1 of the contract, and the attacks of old on it."""

from pathlib import PurePosixPath

import pytest

from tracking_server.errors import InvalidParameter
from tracking_server.services import locations


def checked(location: str, *, allowed_schemes: frozenset[str] = frozenset()) -> str:
    return locations.checked_location(
        location,
        max_characters=100,
        known_roots=("mlflow-artifacts://known/x", "abfss://c@known.dfs.core.windows.net/root"),
        allowed_schemes=allowed_schemes,
        working_directory=PurePosixPath("/srv"),
    )


@pytest.mark.parametrize(
    ("location", "segments", "nested"),
    [
        ("mlflow-artifacts:/", ("7",), "mlflow-artifacts:/7"),
        ("mlflow-artifacts:/7", ("r", "artifacts"), "mlflow-artifacts:/7/r/artifacts"),
        ("s3://b/p/", ("7",), "s3://b/p/7"),
        ("s3://b?x=1&y=/", ("7",), "s3://b/7?x=1&y=/"),
        ("/srv/mlruns", ("7",), "/srv/mlruns/7"),
        ("/", ("7",), "/7"),
    ],
)
def test_places_nest_before_the_query(location: str, segments: tuple[str, ...], nested: str) -> None:
    assert locations.below(location, *segments) == nested


@pytest.mark.parametrize(
    "location",
    [
        "s3://any-bucket/p",
        "gs://any-bucket",
        "s3://b/p;x",
        "/data;x/y",
        "wasbs://c@any.blob.core.windows.net/p",
        "file:///data",
        "mlflow-artifacts:/x",
        "mlflow-artifacts://known/y",
        "abfss://c@known.dfs.core.windows.net/other",
        "/data",
        "dbfs:/x",
    ],
)
def test_allowed(location: str) -> None:
    assert checked(location) == location


def test_a_relative_path_becomes_absolute() -> None:
    assert checked("mlruns") == "/srv/mlruns"


@pytest.mark.parametrize(
    "location",
    [
        "s3://b/p#fragment",
        "http://known/p;params",
        "/data#x",
        "/data;x",
        "s3://b/p?x=..",
        "http:///?/../../etc",
        "s3://b/p?x=%2e%2e",
        "s3://b/p?x=%252e%252e",
        "/data?../x",
        "runs:/abc/model",
        "http://169.254.169.254/latest",
        "https://elsewhere/x",
        "ftp://elsewhere/x",
        "sftp://elsewhere/x",
        "hdfs://elsewhere/x",
        "viewfs://elsewhere/x",
        "r2://elsewhere/x",
        "b2://elsewhere/x",
        "mlflow-artifacts://elsewhere/x",
        "mlflow-artifacts://known:81/x",
        "abfss://c@elsewhere.dfs.core.windows.net/x",
        "HTTPS://elsewhere/x",
        "http://[broken/x",
        "x" * 101,
    ],
)
def test_refused(location: str) -> None:
    with pytest.raises(InvalidParameter):
        checked(location)


def test_a_scheme_may_be_allowed_with_any_host() -> None:
    assert checked("hdfs://elsewhere/x", allowed_schemes=frozenset({"hdfs"})) == "hdfs://elsewhere/x"
