"""A gateway in front of a server of our own, and one that keeps the artifacts itself."""

import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import IncompleteRead
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.support.http import call, call_json, connection_to
from tests.support.server import LiveServer, live_server
from tracking_server.__main__ import main

BASE = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    gateway: LiveServer
    behind: LiveServer
    folder: Path
    """Of the server behind."""


def keeps(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    behind, home = tmp_path_factory.mktemp("behind"), tmp_path_factory.mktemp("front")
    uri_file = behind / "uri"
    with live_server(behind, "--static-prefix", "/prefix") as server:
        uri_file.write_text(f"{server.url}/prefix/\n")
        with live_server(home, "--database-uri-file", str(uri_file), "--static-prefix", "/front") as gateway:
            yield Pair(gateway=gateway, behind=server, folder=behind)


def test_each_has_a_prefix_of_its_own(pair: Pair) -> None:
    made = call_json(pair.gateway.url, "POST", f"/front{BASE}/experiments/create", {"name": "through"})
    path = f"{BASE}/experiments/get?experiment_id={made.json['experiment_id']}"
    through, directly = call(pair.gateway.url, "GET", f"/front{path}"), call(pair.behind.url, "GET", f"/prefix{path}")
    assert through.json["experiment"]["name"] == "through"
    assert through.body == directly.body
    assert call(pair.gateway.url, "GET", path).status == 404


def test_files_and_parts_of_them(pair: Pair) -> None:
    path = f"/front{FILES}/0/a%20b.html"
    assert call(pair.gateway.url, "PUT", path, b"<b>0123456789</b>").status == 200
    assert keeps(pair.folder / "mlartifacts") == ["0/a b.html"]
    reply = call(pair.gateway.url, "GET", path, headers={"Range": "bytes=3-5"})
    assert (reply.status, reply.body, reply.headers["content-range"]) == (206, b"012", "bytes 3-5/17")
    again = call(pair.gateway.url, "GET", path, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert call(pair.gateway.url, "GET", path, headers={"Range": "bytes=99-"}).status == 416
    assert call(pair.gateway.url, "HEAD", path).headers["content-length"] == "17"
    assert call(pair.gateway.url, "PUT", f"/front{FILES}/0/empty", iter(())).status == 200
    assert (pair.folder / "mlartifacts" / "0" / "empty").read_bytes() == b""
    assert call(pair.gateway.url, "DELETE", path).status == 200
    assert keeps(pair.folder / "mlartifacts") == ["0/empty"]


def test_nothing_is_kept_here(pair: Pair) -> None:
    home = pair.gateway.log.parent
    assert [path.name for path in home.iterdir()] == ["server.log"]


def test_a_server_behind_that_is_killed_cuts_what_is_under_way(tmp_path: Path) -> None:
    (tmp_path / "front").mkdir()
    size = 64 * MIB
    with (
        live_server(tmp_path) as behind,
        live_server(tmp_path / "front", "--backend-store-uri", behind.url) as gateway,
    ):
        assert call(behind.url, "PUT", f"{FILES}/a", b"x" * size).status == 200
        with connection_to(gateway.url) as download, connection_to(gateway.url) as upload:
            download.request("GET", f"{FILES}/a")
            response = download.getresponse()
            assert response.read(MIB) == b"x" * MIB
            upload.putrequest("PUT", f"{FILES}/b")
            upload.putheader("Content-Length", str(size))
            upload.endheaders()
            upload.send(b"x" * MIB)
            for pid in (*behind.workers(), behind.process.pid):
                os.kill(pid, signal.SIGKILL)
            behind.process.wait()
            with pytest.raises(IncompleteRead):
                response.read()
            for _ in range(size // MIB - 1):
                try:
                    upload.send(b"x" * MIB)
                except OSError:  # it has answered already, and takes no more
                    break
            answer = upload.getresponse()
            assert (answer.status, upstream_of(answer.read())) == (503, behind.url)
        assert call(gateway.url, "GET", "/health").status == 200
    assert keeps(tmp_path / "mlartifacts")[-1:] == ["a"]


def upstream_of(body: bytes) -> str:
    return body.decode().partition("tracking server at ")[2].partition(",")[0]


def test_artifacts_of_its_own(tmp_path: Path) -> None:
    for name in ("behind", "front"):
        (tmp_path / name).mkdir()
    with (
        live_server(tmp_path / "behind") as behind,
        live_server(
            tmp_path / "front", "--backend-store-uri", behind.url, "--artifacts-destination", "./own"
        ) as gateway,
    ):
        assert call(gateway.url, "PUT", f"{FILES}/0/a", b"mine").status == 200
        assert call(gateway.url, "GET", f"{FILES}/0/a").body == b"mine"
        assert call(behind.url, "GET", f"{FILES}/0/a").status == 404
        assert call(gateway.url, "GET", f"{BASE}/experiments/get?experiment_id=0").status == 200
        assert call(gateway.url, "GET", "/api/3.0/mlflow/server-info").json["multipart_uploads_enabled"] is False
    assert keeps(tmp_path / "front" / "own") == ["0/a"]


def test_no_artifacts_at_all(tmp_path: Path) -> None:
    with live_server(tmp_path, "--backend-store-uri", "http://127.0.0.1:1", "--no-serve-artifacts") as gateway:
        for method, path in (("PUT", f"{FILES}/0/a"), ("GET", f"{FILES}/0/a"), ("GET", FILES)):
            reply = call(gateway.url, method, path, b"x")
            assert reply.status == 501
            assert "--no-serve-artifacts" in reply.json["message"]


@pytest.mark.parametrize(
    ("uri", "environ", "told"),
    [
        ("https://u:hunter2@host", {"MLFLOW_HTTP_REQUEST_TIMEOUT": "x"}, "MLFLOW_HTTP_REQUEST_TIMEOUT must be a whole"),
        ("https://u:hunter2@host", {"ARTIFACT_ROOT": "s3://b"}, "ARTIFACT_ROOT has no meaning"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, uri: str, environ: Mapping[str, str], told: str) -> None:
    ended = run(tmp_path, "server", "--backend-store-uri", uri, **environ)
    assert ended.exit_code == 10
    assert told in ended.stderr
    assert "hunter2" not in ended.output


def test_a_profile_that_is_not_there_is_refused_at_start(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="the server ended with 10:\nError: There is no profile 'none' in"),
        live_server(tmp_path, "--backend-store-uri", "databricks://none", environ={"HOME": str(tmp_path)}),
    ):
        pass


@pytest.mark.parametrize(
    "command",
    [["db", "check"], ["backup", "--to", "archive"], ["gc", "--artifacts-destination", "."]],
    ids=lambda command: command[0],
)
def test_what_needs_the_database_says_where_to_run_it(tmp_path: Path, command: list[str]) -> None:
    ended = run(tmp_path, *command, MLFLOW_BACKEND_STORE_URI="https://u:hunter2@mlflow.example.com")
    assert ended.exit_code == 10
    assert "https://mlflow.example.com is another tracking server" in ended.output
    assert "run this where that server runs" in ended.output
    assert "hunter2" not in ended.output


def run(folder: Path, *command: str, **environ: str) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(main, list(command), env={"HOME": str(folder), **environ})
