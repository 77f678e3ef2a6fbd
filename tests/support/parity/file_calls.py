"""Artifacts: through the proxy, through the tracking API, and for the browser."""

from typing import Final
from urllib.parse import quote

from tests.support.parity.calls import AJAX, FILES, PREFIX, Call, get
from tests.support.parity.drawing import Draw, Known, Operation, a_coin, a_known, chance, mostly, one_of

PATHS: Final = (
    "a.txt",
    "f/b.json",
    "f/g/c.bin",
    "MLmodel",
    "größe.csv",
    "with space.html",
    "f/noextension",
    "100%.md",
    "d;e.log",
)
BAD_PATHS: Final = (
    "../x",
    "f/../../x",
    "%2e%2e/x",
    "/etc/passwd",
    "a#b",
    "C:/x",
    "file:///etc/passwd",
    "",
    "f/%252e%252e/x",
    "f",
)
FOLDERS: Final = ("", "f", "f/g", "nothing", "a.txt", "f/")
BYTES: Final = (b"", b"hello", b"\xff\x00\xfe", b'{"json": true}', b"line\r\nline\n")


def _a_run(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "served run"))


def _a_model(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "served model"))


def _root(draw: Draw, known: Known) -> str:
    """A folder that no other example has; a run's when it is one of the default root."""
    return f"{PREFIX}{one_of(draw, ('one', 'two'))}"


def _path(draw: Draw) -> str:
    return str(mostly(draw, PATHS, BAD_PATHS, 8))


def _escaped(path: str) -> str:
    return quote(path, safe="/%") if "%2" in path else quote(path, safe="/")


def _proxied(method: str, draw: Draw, known: Known, body: bytes | None = None) -> Call:
    return Call(
        endpoint=f"{method} mlflow-artifacts/artifacts/{{path}}",
        method=method,
        path=f"{FILES}/{_root(draw, known)}/{_escaped(_path(draw))}",
        body=body,
        content_type="application/octet-stream" if body is not None else "",
    )


def put_file(draw: Draw, known: Known) -> Call:
    return _proxied("PUT", draw, known, one_of(draw, BYTES))


def get_file(draw: Draw, known: Known) -> Call:
    return _proxied("GET", draw, known)


def delete_file(draw: Draw, known: Known) -> Call:
    return _proxied("DELETE", draw, known)


def list_files(draw: Draw, known: Known) -> Call:
    path = f"{_root(draw, known)}/{mostly(draw, FOLDERS, BAD_PATHS, 8)}".removesuffix("/")
    return Call(endpoint="GET mlflow-artifacts/artifacts", method="GET", path=FILES, query=[("path", path)])


def list_run_files(draw: Draw, known: Known) -> Call:
    query = [(one_of(draw, ("run_id", "run_uuid")), _a_run(draw, known))]
    if a_coin(draw):
        query.append(("path", mostly(draw, FOLDERS, BAD_PATHS, 8)))
    return get("artifacts/list", *query)


def upload_for_a_run(draw: Draw, known: Known) -> Call:
    query = [("run_uuid", _a_run(draw, known)), ("path", _path(draw))]
    if chance(draw, 12):
        query.pop(one_of(draw, (0, 1)))
    return Call(
        endpoint="POST upload-artifact",
        method="POST",
        path=f"{AJAX}/upload-artifact",
        query=query,
        body=one_of(draw, BYTES),
        content_type="application/octet-stream",
    )


def get_artifact(draw: Draw, known: Known) -> Call:
    query = [(one_of(draw, ("run_id", "run_uuid")), _a_run(draw, known)), ("path", _path(draw))]
    return Call(endpoint="GET get-artifact", method="GET", path="/get-artifact", query=query)


def list_model_files(draw: Draw, known: Known) -> Call:
    query = [("artifact_directory_path", mostly(draw, FOLDERS, BAD_PATHS, 8))] if a_coin(draw) else []
    return get(f"logged-models/{_a_model(draw, known)}/artifacts/directories", *query)


def get_model_file(draw: Draw, known: Known) -> Call:
    return get(f"logged-models/{_a_model(draw, known)}/artifacts/files", ("artifact_file_path", _path(draw)), base=AJAX)


def put_model_file(draw: Draw, known: Known) -> Call:
    """Where a client puts it, below the default root; the model's experiment may have another."""
    model = str(a_known(draw, known, "model", one_in=1000))
    return Call(
        endpoint="PUT mlflow-artifacts/artifacts/{path}",
        method="PUT",
        path=f"{FILES}/{one_of(draw, known.of('experiment'))}/models/{model}/artifacts/{_escaped(one_of(draw, PATHS))}",
        body=one_of(draw, BYTES),
        content_type="application/octet-stream",
    )


OPERATIONS: Final = (
    Operation(draw=put_file, weight=3),
    Operation(draw=get_file, weight=2),
    Operation(draw=delete_file),
    Operation(draw=list_files, weight=2),
    Operation(draw=list_run_files, needs=["served run"], weight=2),
    Operation(draw=upload_for_a_run, needs=["served run"], weight=2),
    Operation(draw=get_artifact, needs=["served run"], weight=2),
    Operation(draw=list_model_files, needs=["served model"]),
    Operation(draw=get_model_file, needs=["served model"]),
    Operation(draw=put_model_file, needs=["served model"]),
)
