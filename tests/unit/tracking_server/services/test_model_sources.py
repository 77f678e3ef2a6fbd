"""The sources of model versions: what they are, whose they are, and which are refused."""

from contextlib import nullcontext
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.errors import InvalidParameter
from tracking_server.services.model_sources import (
    Elsewhere,
    LocalPath,
    OfLoggedModel,
    OfRun,
    OfVersion,
    Proxied,
    Source,
    check_owner,
    check_place,
    check_prompt_source,
    parse_source,
)

MODEL = f"m-{'a' * 32}"
ROOT = "mlflow-artifacts:/1/run/artifacts"


@pytest.mark.parametrize(
    ("source", "parsed"),
    [
        ("s3://bucket/a/b", Elsewhere()),
        ("S3://bucket/a", Elsewhere()),
        ("s3://bucket/a b", Elsewhere()),
        ("s3://bucket/a+b", Elsewhere()),
        ("s3://bucket/..a", Elsewhere()),
        ("s3://bucket/a;b=1#c", Elsewhere()),
        ("s3://bucket/a//b/", Elsewhere()),
        ("gs://bucket/a", Elsewhere()),
        ("wasbs://container@account.blob.core.windows.net/a", Elsewhere()),
        ("dbfs:/a", Elsewhere()),
        ("http://host/a", Elsewhere()),
        (f"{ROOT}/model", Proxied()),
        ("MLFLOW-ARTIFACTS:/1", Proxied()),
        ("https://host/prefix/api/2.0/mlflow-artifacts/artifacts/1", Proxied()),
        ("http://host/api//2.0/%6dlflow-artifacts/artifacts/1", Proxied()),
        ("runs:/r1/model", OfRun(run_id="r1")),
        ("runs:/r1", OfRun(run_id="r1")),
        ("RUNS:/r1/", OfRun(run_id="r1")),
        (f"models:/{MODEL}", OfLoggedModel(model_id=MODEL)),
        ("models:/forest/3", OfVersion(name="forest", selector="3", is_alias=False)),
        ("models:/forest/latest", OfVersion(name="forest", selector="latest", is_alias=False)),
        ("models:/forest@best", OfVersion(name="forest", selector="best", is_alias=True)),
        ("models:/a@b@best", OfVersion(name="a@b", selector="best", is_alias=True)),
        (f"models:/{MODEL}/1", OfVersion(name=MODEL, selector="1", is_alias=False)),
        ("/srv/model", LocalPath(path=PurePosixPath("/srv/model"))),
        ("file:///srv/a%20b", LocalPath(path=PurePosixPath("/srv/a b"))),
        ("FILE:/srv/a", LocalPath(path=PurePosixPath("/srv/a"))),
        ("file://localhost/srv/a", LocalPath(path=PurePosixPath("/srv/a"))),
    ],
)
def test_a_source_is_what_its_uri_says(source: str, parsed: Source) -> None:
    assert parse_source(source) == parsed


@pytest.mark.parametrize(
    "source",
    [
        *("s3://bucket/../a", "s3://bucket/%2e%2e/a", "s3://bucket/%252e%252e/a", "s3://bucket/a/..", "s3:/b/../a"),
        *("s3://../a", "s3://bucket/./a", "s3://bucket/a\x00", "s3://bucket/a%00", "s3://bucket/..\\a", "s3://bucket"),
        *("s3://", "s3:", "weird:thing", "http://[bad/a", "http:///?/../../etc"),
        *(f"{ROOT}/../x", f"{ROOT}/%2E%2e/x", f"{ROOT}/..%2fx", f"{ROOT}/..%5cx", "s3://b/%2525252525252525252525252e"),
        *("runs:/", "runs://host/r1/m", "runs:/r1/../r2"),
        *("models:/", "models:", "models:/forest", "models:/forest/1/2", "models:/forest/", "models:/@a", "models:/a@"),
        *("models://host/forest/1", f"models://host/{MODEL}", "models:/forest/1#a", "models:/forest@a#b"),
        *("../a", "a/b", "./a", "", " s3://bucket/a", "C:/a", "C:\\a", "\\\\host\\a", "/srv/../etc", "/srv/%2e%2e/etc"),
        *("file:a", "file://host/a", "file:///srv/../etc", "file:///srv/%252e%252e/etc", "/srv/a\x00"),
    ],
)
def test_what_leads_elsewhere_is_refused(source: str) -> None:
    with pytest.raises(InvalidParameter):
        parse_source(source)


@given(source=st.text())
def test_any_text_is_a_source_or_refused(source: str) -> None:
    try:
        parsed = parse_source(source)
    except InvalidParameter:
        return
    assert not isinstance(parsed, LocalPath) or ".." not in parsed.path.parts


@pytest.mark.parametrize(
    ("parsed", "run_id", "model_id", "is_fine"),
    [
        (OfRun(run_id="r"), "r", "", True),
        (OfRun(run_id="r"), "s", "", False),
        (OfRun(run_id="r"), "", "", False),
        (OfRun(run_id="r"), "r", MODEL, False),
        (OfLoggedModel(model_id=MODEL), "", MODEL, True),
        (OfLoggedModel(model_id=MODEL), "r", MODEL, True),
        (OfLoggedModel(model_id=MODEL), "r", "", False),
        (OfLoggedModel(model_id=MODEL), "", "m-other", False),
        (Elsewhere(), "", "", True),
        (OfVersion(name="a", selector="1", is_alias=False), "", "", True),
    ],
)
def test_who_is_named_in_the_source_is_named_in_the_request(
    parsed: Source, run_id: str, model_id: str, is_fine: bool
) -> None:
    with nullcontext() if is_fine else pytest.raises(InvalidParameter, match="must identify the resource"):
        check_owner("the source", parsed, run_id=run_id, model_id=model_id)


@pytest.mark.parametrize(
    ("source", "root", "is_fine"),
    [
        (ROOT, ROOT, True),
        (f"{ROOT}/model", ROOT, True),
        ("mlflow-artifacts:///1/run/artifacts/model", ROOT, True),
        (f"{ROOT}/a%20b", f"{ROOT}/a b", True),
        (f"{ROOT}x", ROOT, False),
        ("mlflow-artifacts:/1/run", ROOT, False),
        ("mlflow-artifacts://host/1/run/artifacts", ROOT, False),
        (f"{ROOT}/model", None, False),
        (f"{ROOT}/model", "mlflow-artifacts:/", False),
        (f"{ROOT}/model", "s3://bucket/1/run/artifacts", False),
        ("/srv/1/run/artifacts", "/srv/1/run/artifacts", True),
        ("file:///srv/1/run/artifacts/a", "/srv/1/run/artifacts", True),
        ("/srv/1/run/artifacts/a", "file:///srv/1/run/artifacts", True),
        ("/srv/1/run/artifactsx", "/srv/1/run/artifacts", False),
        ("//srv/1/run/artifacts", "/srv/1/run/artifacts", False),
        ("/srv", "/srv/1/run/artifacts", False),
        ("/srv/1", None, False),
        ("/1/run/artifacts", ROOT, False),
        ("s3://bucket/a", None, True),
    ],
)
def test_files_lie_within_the_root(source: str, root: str | None, is_fine: bool) -> None:
    with nullcontext() if is_fine else pytest.raises(InvalidParameter, match="run_id request parameter"):
        check_place(source, parse_source(source), root, named="run_id")


def test_a_prompt_has_a_placeholder() -> None:
    check_prompt_source("dummy-source")
    check_prompt_source("prompt-template")
    with pytest.raises(InvalidParameter, match="placeholder"):
        check_prompt_source("../dummy-source")
