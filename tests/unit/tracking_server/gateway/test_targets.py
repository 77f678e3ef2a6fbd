import posixpath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.errors import InvalidParameter
from tracking_server.gateway.targets import target_of

FILES = "/api/2.0/mlflow-artifacts/artifacts/{artifact_path*}"
TAG = "/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}"


def test_a_path_without_parameters_stays_and_the_query_follows_as_it_came() -> None:
    target = target_of("/api/2.0/mlflow/runs/get", {}, b"run_id=a%2Fb&x=%20+1&x=")
    assert target == "/api/2.0/mlflow/runs/get?run_id=a%2Fb&x=%20+1&x="


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("0/run/artifacts/model.pkl", "0/run/artifacts/model.pkl"),
        ("a b/ü?x&y=1", "a%20b/%C3%BC%3Fx&y=1"),
        ("folder/", "folder/"),
        ("50% done", "50%25%20done"),
    ],
)
def test_the_path_of_a_file_is_encoded_anew(path: str, target: str) -> None:
    assert target_of(FILES, {"artifact_path": path}, b"") == FILES.replace("{artifact_path*}", target)


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "a/../../b",
        "a/./b",
        "a//b",
        "/etc/passwd",
        "a\\..\\b",
        "a/%2e%2e/b",
        "%2e%2e",
        "a\x00b",
        "a\nb",
        "a#b",
    ],
)
def test_a_path_that_could_lead_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidParameter):
        target_of(FILES, {"artifact_path": path}, b"")


def test_segments_are_encoded_anew() -> None:
    assert target_of(TAG, {"model_id": "m-1", "tag_key": "a b?c#d&e:f"}, b"") == (
        "/api/2.0/mlflow/logged-models/m-1/tags/a%20b%3Fc%23d&e:f"
    )


@pytest.mark.parametrize("value", ["..", ".", "a/b", "%2e%2e", "a%2Fb", "a\\b", "a\rb", "a\x7f"])
@pytest.mark.parametrize("name", ["model_id", "tag_key"])
def test_a_segment_that_could_be_read_otherwise_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidParameter):
        target_of(TAG, {"model_id": "m-1", "tag_key": "t"} | {name: value}, b"")


@pytest.mark.parametrize("query", [b"a=b c", b"a=b\r\nX: y", b"a=\xff", b"a#b", b"a\x00"])
def test_a_query_that_is_no_query_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidParameter, match="query"):
        target_of("/version", {}, query)


AWKWARD = st.text(st.sampled_from("./\\%2eEfF5cC#?&;: ~aü\x00\r\n"), min_size=1, max_size=12)


@given(AWKWARD | st.text(min_size=1, max_size=20))
def test_whatever_a_client_says_stays_in_its_place(value: str) -> None:
    """Decoded once or twice and tidied up, the path still begins as its row does, and names what the client named."""
    for path, name in ((FILES, "artifact_path"), (TAG, "tag_key")):
        before = path.partition("{")[0]
        try:
            target = target_of(path, {"model_id": "m-1", name: value}, b"")
        except InvalidParameter:
            continue
        assert target.isascii()
        assert target.isprintable()
        assert not {" ", "?", "#", "\\"} & set(target)
        assert unquote(target).endswith(value)
        for seen in (target, unquote(target), unquote(unquote(target))):
            assert posixpath.normpath(seen).startswith(before.rstrip("/"))
            assert posixpath.normpath(seen).count("/") == seen.rstrip("/").count("/")
