"""Rewrites of artifact URIs."""

import pytest

from tracking_server.errors import ConfigInvalid
from tracking_server.filestore.addresses import parse_rewrite, rewritten


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        pytest.param("file:///a/mlruns/0/x", "s3://b/0/x", id="below"),
        pytest.param("file:///a/mlruns", "s3://b", id="the place itself"),
        pytest.param("file:///a/mlruns-2/0", "file:///a/mlruns-2/0", id="a name that only begins alike"),
        pytest.param("file:///c/0", "gs://d/0", id="the second rewrite"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_a_uri_begins_otherwise(uri: str | None, expected: str | None) -> None:
    rewrites = [parse_rewrite("file:///a/mlruns/=s3://b/"), parse_rewrite("file:///c=gs://d")]
    assert rewritten(uri, rewrites) == expected


@pytest.mark.parametrize("text", ["", "=", "a", "a=", "=b", "/=b"])
def test_what_is_no_rewrite_is_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="FROM=TO"):
        parse_rewrite(text)
