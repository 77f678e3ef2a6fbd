"""Paths and URIs that mean to leave their root: every shape in every field that could be read as one, on every route.

The fields come from the table of routes, so a new route is in the table below before anybody thinks of it.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from tests.support.api_table import fields_read_by
from tests.support.http import Reply, call, call_json
from tests.support.server import LiveServer, live_server
from tracking_server.web.assembly import ROWS
from tracking_server.web.route import Row, Upload
from tracking_server.web.routing import paths_of

SECRET: Final = b"the content of a file outside"
PATHS: Final = {"path", "artifact_path", "artifact_directory_path", "artifact_file_path"}
URIS: Final = {"artifact_location", "source"}
NEITHER: Final = {"source_run_id", "source_type", "src_model_uri"}
"""Fields whose names sound like it: ids, and words that nobody opens."""

REFUSED: Final = {
    "up": "../secret.txt",
    "up and nothing else": "..",
    "down and up": "a/../../secret.txt",
    "up in the middle": "a/../b",
    "here and up": "./../secret.txt",
    "here": "a/./b",
    "absolute": "/etc/passwd",
    "absolute twice": "//etc/passwd",
    "absolute below proc": "//proc/self/root/etc/passwd",
    "empty segment": "a//b",
    "backslashes": "..\\secret.txt",
    "backslashes in front": "\\..\\..\\secret.txt",
    "mixed": "..\\../secret.txt",
    "a share": "\\\\host\\share",
    "a drive": "C:/Windows/win.ini",
    "a drive without a slash": "c:secret.txt",
    "a drive with backslashes": "C:\\Windows\\win.ini",
    "a file URI": "file:///etc/passwd",
    "a file URI in capitals": "FILE:/etc/passwd",
    "encoded": "%2e%2e/secret.txt",
    "encoded with its slash": "..%2fsecret.txt",
    "encoded twice": "%252e%252e%252fsecret.txt",
    "encoded ten times": "%" + "25" * 9 + "2e%" + "25" * 9 + "2e/secret.txt",
    "encoded backslash": "..%5csecret.txt",
    "encoded NUL": "a%00.txt",
    "NUL": "a\x00.txt",
    "NUL behind a name": "../secret.txt\x00.png",
    "line feed": "a\nb",
    "escape": "a\x1bb",
    "control of the second set": "a\x85b",
    "fragment": "a#/../../secret.txt",
    "overlong name": "x" * 300,
    "overlong path": "x/" * 2000 + "x",
    "an unfinished upload": ".artifact.uploading.x",
}
HARMLESS: Final = {
    "full-width dots": "\uff0e\uff0e/secret.txt",
    "two-dot leader": "\u2025/secret.txt",
    "division slash": "..\u2215secret.txt",
    "three dots": ".../secret.txt",
    "spaces around dots": " ../secret.txt",
    "parameters": "a;/..;x/secret.txt",
    "a question": "a?x=1",
    "a scheme": "s3:x",
    "a tilde": "~/secret.txt",
    "a variable": "$HOME/secret.txt",
    "a lone percent sign": "100%/secret.txt",
}
"""Names like any other: they may be refused or taken, and lie below the root then."""

LOCATIONS: Final = (
    *(
        "../outside",
        "a/../../outside",
        "file:../outside",
        "file://{outside}/../outside",
        "{outside}",
        "file://{outside}",
    ),
    *("file://localhost{outside}", "file:{outside}", "FILE://{outside}", "//proc/self/root{outside}", "\\..\\outside"),
    *(
        "http:///?/../../../outside",
        "http://h/#/../../outside",
        "http://h;p/../outside",
        "dbfs:{outside}",
        "file:%2e%2e/outside",
    ),
    *("mlflow-artifacts:/../outside", "mlflow-artifacts:/%2e%2e/outside", "mlflow-artifacts:/%252e%252e/outside"),
    *(
        "mlflow-artifacts:{outside}",
        "mlflow-artifacts://{outside}",
        "mlflow-artifacts:/a/..\\..\\outside",
        "runs:/x/../../outside",
    ),
    *(
        "mlflow-artifacts:/x?/../../outside",
        "mlflow-artifacts:/x#/../../outside",
        "mlflow-artifacts:/a\x00b",
        ":{outside}",
        "://{outside}",
    ),
    *(
        "s3://bucket/../../outside",
        "gs://bucket/%2e%2e",
        "http://169.254.169.254/latest",
        "models:/x/../../outside",
        "file:///{outside}\x00",
    ),
)


def places() -> Iterator[tuple[str, str, str, Row]]:
    for row in ROWS:
        for field in fields_read_by(row):
            if field.name in PATHS | URIS:
                yield from ((row.method, path, field.name, row) for path in paths_of(row))


PLACES: Final = [pytest.param(*place, id=f"{place[0]} {place[1]} {place[2]}") for place in places()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("paths")
    outside = folder / "outside"
    outside.mkdir()
    for path in (folder / "secret.txt", outside / "secret.txt", outside / "passwd"):
        path.write_bytes(SECRET)
    with live_server(folder, environ={"MLFLOW_LOGGING_LEVEL": "WARNING"}) as running:
        yield running


@pytest.fixture(scope="module")
def known(server: LiveServer) -> dict[str, str]:
    """Values for the other fields: a run and a model that exist."""
    run = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json["run"]["info"]
    model = call_json(server.url, "POST", "/api/2.0/mlflow/logged-models", {"experiment_id": "0", "name": "m"}).json[
        "model"
    ]["info"]
    name = {"name": "registered"}
    call_json(server.url, "POST", "/api/2.0/mlflow/registered-models/create", name)
    return {
        "run_id": run["run_id"],
        "model_id": model["model_id"],
        "upload_id": "u",
        "path": "plain.txt",
        **name,
        "version": "1",
    }


def send(server: LiveServer, known: dict[str, str], place: tuple[str, str, str, Row], value: str) -> Reply:
    method, path, name, row = place
    wanted = {each.name for each in fields_read_by(row)}
    given: dict[str, Any] = {each: text for each, text in known.items() if each in wanted}
    if "parts" in wanted:
        given["parts"] = [{"part_number": 1, "etag": "x"}]
    if f"{{{name}*}}" in path:
        path = path.replace(f"{{{name}*}}", quote(value, safe="", errors="replace"))
    else:
        path = path.replace("{artifact_path*}", "x")
        given[name] = value
    for each, text in known.items():
        path = path.replace(f"{{{each}}}", text)
    if method == "GET" or isinstance(row, Upload):
        query = "&".join(f"{key}={quote_plus(text)}" for key, text in given.items())
        return call(server.url, method, f"{path}?{query}", None if method == "GET" else b"written")
    return call(server.url, method, path, msgspec.json.encode(given), {"Content-Type": "application/json"})


def check(server: LiveServer, reply: Reply) -> None:
    assert reply.status < 500 or reply.status == 501, reply
    assert SECRET not in reply.body
    folder = server.log.parent
    assert {path.name for path in folder.iterdir() if not path.name.startswith("mlflow.db")} <= {
        *("server.log", "secret.txt", "outside", "mlartifacts"),
    }
    assert {path.name: path.read_bytes() for path in (folder / "outside").iterdir()} == dict.fromkeys(
        ("secret.txt", "passwd"), SECRET
    )
    assert (folder / "secret.txt").read_bytes() == SECRET


def test_every_field_that_sounds_like_a_path_is_known() -> None:
    names = {field.name for row in ROWS for field in fields_read_by(row)}
    alike = {
        name for name in names if any(word in name for word in ("path", "uri", "location", "source", "file", "dir"))
    }
    assert alike <= PATHS | URIS | NEITHER
    assert len(PLACES) > 20


@pytest.mark.parametrize(("method", "path", "name", "row"), PLACES)
def test_nothing_leads_out(
    server: LiveServer, known: dict[str, str], method: str, path: str, name: str, row: Row
) -> None:
    place = (method, path, name, row)
    if name in PATHS and "presigned" not in path:  # there, the store decides
        assert send(server, known, place, "plain.txt").status != 400, "what is refused below is refused for its path"
    for shape, value in {**REFUSED, **HARMLESS}.items():
        reply = send(server, known, place, value)
        check(server, reply)
        if shape in REFUSED and name in PATHS and not ("/mpu/" in path and name == "path"):  # a path of the client
            assert 400 <= reply.status < 500 or reply.status == 501, (shape, reply)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_nothing_leads_out_by_an_encoding_of_the_url(server: LiveServer, method: str, prefix: str) -> None:
    """As they are, with each of their slashes and dots encoded, and in encodings that are no UTF-8."""
    base = f"{prefix}/2.0/mlflow-artifacts/artifacts/"
    shapes = [value for value in REFUSED.values() if value.isascii() and value.isprintable() and " " not in value]
    encoded = [
        value.replace(".", dot).replace("/", slash)
        for value, dot, slash in product(shapes, ("%2e", "."), ("%2F", "%5c", "/"))
    ]
    overlong = [
        "%c0%ae%c0%ae/secret.txt",
        "%c0%2e%c0%2e/secret.txt",
        "%e0%80%ae%e0%80%ae%c0%afsecret.txt",
        "%uff0e%uff0e/x",
        "..%c0%afsecret.txt",
    ]
    for value in (*shapes, *encoded, *overlong):
        reply = call(server.url, method, base + value.replace("#", "%23"), b"x" if method == "PUT" else None)
        check(server, reply)
        assert 400 <= reply.status < 500 or value in overlong, (value, reply)


def test_whether_a_file_outside_is_there_cannot_be_told(server: LiveServer) -> None:
    """The same answer, but for the name that was asked for."""
    for present, absent in (("/etc/passwd", "/etc/absent"), ("../secret.txt", "../missing")):
        assert _refusal_of(server, present) == _refusal_of(server, absent)


def _refusal_of(server: LiveServer, path: str) -> tuple[int, bytes]:
    reply = call(server.url, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{quote(path, safe='')}")
    return reply.status, reply.body.replace(path.encode(), b"...")


@pytest.mark.parametrize("location", LOCATIONS)
def test_an_artifact_location_opens_nothing_outside(server: LiveServer, location: str) -> None:
    """It is refused, or nothing that is not the server's own store is ever opened for its runs."""
    location = location.replace("{outside}", str(server.log.parent / "outside"))
    document = {"name": f"at {location}", "artifact_location": location}
    created = call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", document)
    check(server, created)
    if created.status != 200:
        assert (created.status, created.error_code) == (400, "INVALID_PARAMETER_VALUE")
        return
    run = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": created.json["experiment_id"]})
    run_id = run.json["run"]["info"]["run_id"]
    for name in ("secret.txt", "../secret.txt", "../../secret.txt", "../../outside/passwd"):
        for path in (
            f"/get-artifact?run_id={run_id}&path={quote(name)}",
            f"/api/2.0/mlflow/artifacts/list?run_id={run_id}&path={quote(name)}",
        ):
            check(server, call(server.url, "GET", path))
        check(
            server,
            call(
                server.url,
                "POST",
                f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run_id}&path={quote(name)}",
                b"written",
            ),
        )


def test_a_link_out_of_the_root_is_not_followed(server: LiveServer) -> None:
    root = server.log.parent / "mlartifacts"
    root.mkdir(exist_ok=True)
    (root / "link").symlink_to(server.log.parent / "outside")
    (root / "file-link").symlink_to(server.log.parent / "secret.txt")
    for name, method in product(("link/secret.txt", "link/new", "file-link", "link"), ("GET", "PUT", "DELETE")):
        reply = call(
            server.url, method, f"/api/2.0/mlflow-artifacts/artifacts/{name}", b"x" if method == "PUT" else None
        )
        check(server, reply)
    check(server, call(server.url, "GET", "/api/2.0/mlflow-artifacts/artifacts?path=link"))


def test_nothing_of_this_was_a_surprise(server: LiveServer) -> None:
    """The last test of this module."""
    assert '"traceback"' not in server.log.read_text()
