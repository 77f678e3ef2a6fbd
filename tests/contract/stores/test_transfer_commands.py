"""`trackplane artifacts` between this machine and runs: through a server, and in the store itself."""

import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import pytest
from click.testing import CliRunner, Result

from tests.support.artifact_stores import GROUP
from tests.support.emulators import Emulator
from tests.support.http import call_json
from tests.support.server import LiveServer, live_server
from tracking_server.__main__ import main
from tracking_server.transfer.files import CHUNK_BYTES

CONTENT = bytes(range(256)) * 8192  # 2 MiB


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("proxied")) as running:
        yield running


@pytest.fixture(scope="module")
def direct(s3: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Runs carry the address of the bucket, and commands go there by themselves."""
    environ = {**s3.environ, "ARTIFACT_ROOT": f"{s3.uri}/commands"}
    with live_server(tmp_path_factory.mktemp("direct"), environ=environ) as running:
        yield running


@pytest.fixture(params=["proxied", pytest.param("direct", marks=GROUP)])
def environ(request: pytest.FixtureRequest) -> Mapping[str, str]:
    server: LiveServer = request.getfixturevalue(request.param)
    emulator: Emulator | None = request.getfixturevalue("s3") if request.param == "direct" else None
    return {"MLFLOW_TRACKING_URI": server.url, **(emulator.environ if emulator else {})}


def new_run(environ: Mapping[str, str]) -> str:
    url = environ["MLFLOW_TRACKING_URI"]
    run = call_json(url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json
    run_id: str = run["run"]["info"]["run_id"]
    return run_id


def invoke(environ: Mapping[str, str], *words: str | Path) -> Result:
    return CliRunner().invoke(main, ["artifacts", *map(str, words)], env=dict(environ))


def succeed(environ: Mapping[str, str], *words: str | Path) -> Any:
    """The report."""
    result = invoke(environ, *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}")
    (folder / "größe & 100%.bin").write_bytes(CONTENT)
    (folder / "deep" / "er" / "empty").write_bytes(b"")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def test_a_folder_goes_up_and_comes_back(environ: Mapping[str, str], model: Path, tmp_path: Path) -> None:
    run_id = new_run(environ)
    report = succeed(environ, "log-artifacts", "--local-dir", model, "--run-id", run_id, "--artifact-path", "a/model")
    assert (report["files"], report["bytes"], report["skipped"], report["failed"]) == (3, 11 + len(CONTENT), 0, 0)

    listed = invoke(environ, "list", "-r", run_id, "-a", "a/model")
    assert json.loads(listed.stdout) == [
        {"path": "a/model/MLmodel", "is_dir": False, "file_size": 11},
        {"path": "a/model/deep", "is_dir": True},
        {"path": "a/model/größe & 100%.bin", "is_dir": False, "file_size": len(CONTENT)},
    ]

    there = tmp_path / "there"
    result = invoke(environ, "download", "-r", run_id, "-a", "a/model", "-d", there)
    assert (result.exit_code, result.stdout.strip()) == (0, str(there / "a/model"))
    assert tree(there / "a/model") == tree(model)
    by_uri = tmp_path / "by-uri"
    succeed(environ, "download", "-u", f"runs:/{run_id}/a/model/deep", "-d", by_uri)
    assert tree(by_uri) == {"deep/er/empty": b""}
    whole = tmp_path / "whole"
    succeed(environ, "download", "-r", run_id, "-d", whole)
    assert sorted(tree(whole)) == [f"a/model/{name}" for name in sorted(tree(model))]


def test_what_is_there_already_is_left_out(environ: Mapping[str, str], model: Path, tmp_path: Path) -> None:
    run_id = new_run(environ)
    words = ("log-artifacts", "-l", model, "-r", run_id, "--resume")
    for file in model.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    assert succeed(environ, *words)["files"] == 3
    assert succeed(environ, *words)["skipped"] == 3
    (model / "MLmodel").write_text("FLAVORS: {}")  # the same size
    os.utime(model / "MLmodel", (5_000_000_000, 5_000_000_000))
    again = succeed(environ, *words)
    assert (again["files"], again["skipped"]) == (1, 2)

    back = ("download", "-r", run_id, "-d", tmp_path / "there", "--resume")
    assert succeed(environ, *back)["files"] == 3
    (tmp_path / "there" / "MLmodel").write_text("something else")
    again = succeed(environ, *back)
    assert (again["files"], again["skipped"]) == (1, 2)
    assert tree(tmp_path / "there") == tree(model)


def test_one_file_to_a_new_folder(environ: Mapping[str, str], model: Path) -> None:
    run_id = new_run(environ)
    succeed(environ, "log-artifact", "--local-file", model / "MLmodel", "--run-id", run_id)
    result = invoke(environ, "download", "--run-id", run_id, "--artifact-path", "MLmodel")
    assert Path(result.stdout.strip()).read_text() == "flavors: {}"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("download", "-r", "{run}", "-a", "none"), 18, "none: "),
        (("download", "-r", "0" * 32), 10, "not found"),
        (("download", "-r", "{run}", "-a", "../x"), 10, "Invalid path"),
        (("log-artifact", "-l", "not-there", "-r", "{run}"), 10, "is no file"),
        (("log-artifacts", "-l", "not-there", "-r", "{run}"), 10, "is no folder"),
        (("download",), 2, "--artifact-uri"),
        (("list", "-u", "models:/name"), 10, "names no version"),
    ],
)
def test_what_cannot_be(proxied: LiveServer, tmp_path: Path, words: tuple[str, ...], code: int, told: str) -> None:
    environ = {"MLFLOW_TRACKING_URI": proxied.url}
    run_id = new_run(environ)
    destination = ("-d", str(tmp_path)) if words[0] == "download" else ()
    result = invoke(environ, *(word.format(run=run_id) for word in words), *destination)
    assert (result.exit_code, told in result.stderr) == (code, True), result.output
    assert list(tmp_path.iterdir()) == []


def test_no_server(tmp_path: Path) -> None:
    words = ("download", "-r", "1", "-d", tmp_path)
    assert invoke({"MLFLOW_TRACKING_URI": "sqlite:///x"}, *words).exit_code == 10


class Played(BaseHTTPRequestHandler):
    """A server that cuts, and names files as it likes."""

    protocol_version = "HTTP/1.1"
    names: ClassVar[list[str]] = []
    etag: ClassVar[str] = "one"
    cut_at: ClassVar[int | None] = None
    ranges: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path.endswith("/artifacts"):
            files = [{"path": name, "is_dir": False, "file_size": len(CONTENT)} for name in self.names]
            return self.answer(json.dumps({"files": files} if not parts.query else {}).encode())
        wanted = self.headers.get("Range", "")
        self.ranges.append(wanted)
        first = int(found[1]) if (found := re.fullmatch(r"bytes=(\d+)-", wanted)) else 0
        return self.answer(CONTENT[first:], first if wanted else None)

    def answer(self, body: bytes, first: int | None = None) -> None:
        self.send_response(200 if first is None else 206)
        if first is not None:
            self.send_header("Content-Range", f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("ETag", f'"{self.etag}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        sent = body if Played.cut_at is None else body[: Played.cut_at]
        self.wfile.write(sent)
        if len(sent) < len(body):
            Played.cut_at = None
            self.close_connection = True

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client may close what it does not need
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture
def played() -> Iterator[str]:
    Played.names, Played.etag, Played.cut_at, Played.ranges = [], "one", None, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Played) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_download_that_is_cut_goes_on_where_it_was(played: str, tmp_path: Path) -> None:
    Played.cut_at = 3 * CHUNK_BYTES
    uri = f"{played}/api/2.0/mlflow-artifacts/artifacts/file"
    report = succeed({"MLFLOW_TRACKING_URI": played}, "download", "-u", uri, "-d", tmp_path)
    assert (report["files"], tree(tmp_path)) == (1, {"file": CONTENT})
    assert Played.ranges[-1].startswith("bytes=")
    assert 0 < int(Played.ranges[-1][6:-1]) <= 3 * CHUNK_BYTES


def test_what_was_begun_of_other_content_is_not_gone_on_with(played: str, tmp_path: Path) -> None:
    uri = f"{played}/api/2.0/mlflow-artifacts/artifacts/file"
    environ = {"MLFLOW_TRACKING_URI": played}
    succeed(environ, "download", "-u", uri, "-d", tmp_path)
    (tmp_path / "file").unlink()
    Played.etag = "two"
    Played.ranges.clear()
    succeed(environ, "download", "-u", uri, "-d", tmp_path)
    assert (Played.ranges, tree(tmp_path)) == ([""], {"file": CONTENT})


@pytest.mark.parametrize("name", ["../evil", "/evil", "..", "a/../../evil", "%2e%2e", "C:\\evil", "a\x00b"])
def test_a_name_that_leads_out_is_refused(played: str, tmp_path: Path, name: str) -> None:
    Played.names = ["good", name]
    root = tmp_path / "root"
    uri = f"{played}/api/2.0/mlflow-artifacts/artifacts"
    result = invoke({"MLFLOW_TRACKING_URI": played}, "download", "-u", uri, "-d", root, "--json")
    report = json.loads(result.stdout)
    if unquote(name).rpartition("/")[2] == "evil":  # the last name is one; it stays below the root
        assert sorted(tree(tmp_path)) == ["root/evil", "root/good"]
    else:
        assert (result.exit_code, report["reason"], report["failed"]) == (18, "TransferIncomplete", 1)
        assert sorted(tree(tmp_path)) == ["root/good"]


def test_a_link_in_the_destination_is_not_followed_out_of_it(proxied: LiveServer, model: Path, tmp_path: Path) -> None:
    environ = {"MLFLOW_TRACKING_URI": proxied.url}
    run_id = new_run(environ)
    succeed(environ, "log-artifacts", "-l", model, "-r", run_id)
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "deep").symlink_to(outside)
    result = invoke(environ, "download", "-r", run_id, "-d", root)
    assert result.exit_code == 18
    assert tree(outside) == {}
