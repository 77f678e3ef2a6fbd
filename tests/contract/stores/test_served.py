"""The server over each object store: what clients get through it, and runs with artifacts in a bucket itself."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.artifact_stores import GROUP, REMOTE, content_of, names_of, open_bucket, put, unfinished_in
from tests.support.emulators import BUCKET, Emulator
from tests.support.faulty_proxy import Answer, Call, FaultyProxy, Pass, Treatment, faulty_proxy
from tests.support.http import Reply, call, call_json
from tests.support.processes import peak_memory_of
from tests.support.server import LiveServer, live_server
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import StoreOptions

FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1024 * 1024
DEADLINE_SECONDS = 30.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.fixture(scope="module", params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    request.getfixturevalue(f"{request.param}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def proxy(emulator: Emulator) -> Iterator[FaultyProxy]:
    with faulty_proxy(emulator.url.removesuffix("/devstoreaccount1")) as running:
        yield running


@pytest.fixture(scope="module")
def store(emulator: Emulator) -> Iterator[ObjectStore]:
    opened = ObjectStore(open_bucket(emulator.name, BUCKET, StoreOptions.from_environ(emulator.environ)), "served")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(emulator: Emulator, proxy: FaultyProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Runs keep their artifacts in the bucket itself, and clients may also go through the server."""
    upstream = emulator.url.removesuffix("/devstoreaccount1")
    environ = {name: value.replace(upstream, proxy.url) for name, value in emulator.environ.items()}
    folder = tmp_path_factory.mktemp(f"served-{emulator.name}")
    (folder / "tmp").mkdir()
    with live_server(
        folder,
        "--artifacts-destination",
        f"{emulator.uri}/served",
        environ={**environ, "ARTIFACT_ROOT": f"{emulator.uri}/direct", "TMPDIR": str(folder / "tmp")},
    ) as running:
        yield running
    assert [path for path in (folder / "tmp").rglob("*") if path.is_file()] == []


def test_files_through_the_server(server: LiveServer, store: ObjectStore) -> None:
    name = "größe & 100%.txt"
    assert call(server.url, "PUT", f"{FILES}/1/run/{quote(name)}", b"0123456789").status == 200
    assert content_of(store, f"1/run/{name}") == b"0123456789"

    def get(method: str = "GET", **headers: str) -> Reply:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return call(server.url, method, f"{FILES}/1/run/{quote(name)}", headers=named)

    whole = get()
    etag = whole.headers["etag"]
    assert (whole.status, whole.body, whole.headers["content-type"]) == (200, b"0123456789", "text/plain")
    assert whole.headers["content-disposition"].endswith(f"; filename*=UTF-8''{quote(name, safe='')}")
    part = get(Range="bytes=2-4")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"234", "bytes 2-4/10")
    assert get(Range="bytes=-3").body == b"789"
    assert get(Range="bytes=10-").status == 416
    assert get(Range="bytes=10-").headers["content-range"] == "bytes */10"
    assert get(If_None_Match=etag).status == 304
    assert get(If_Match='"other"').status == 412
    assert get(Range="bytes=2-4", If_Range=etag).status == 206
    assert get(Range="bytes=2-4", If_Range='"other"').status == 200
    head = get("HEAD")
    assert (head.status, head.headers["content-length"], head.headers["etag"]) == (200, "10", etag)
    listing = call(server.url, "GET", f"{FILES}?path=1").json
    assert listing == {"files": [{"path": "run", "is_dir": True}]}
    for _ in range(2):
        assert call(server.url, "DELETE", f"{FILES}/1/run/").body == b"{}"
    assert names_of(store, "1") == []
    missing = get()
    assert (missing.status, missing.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_what_is_not_there_and_what_is_a_folder(server: LiveServer) -> None:
    call(server.url, "PUT", f"{FILES}/2/folder/file", b"x")
    folder = call(server.url, "GET", f"{FILES}/2/folder")
    assert (folder.status, folder.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert call(server.url, "GET", f"{FILES}?path=2/none").json == {}


def test_a_large_file_passes_with_little_memory(server: LiveServer, store: ObjectStore) -> None:
    call(server.url, "PUT", f"{FILES}/3/warm", bytes(12 * MIB))
    call(server.url, "GET", f"{FILES}/3/warm")
    before = peak_memory_of(server.workers()[0])
    part = bytes(range(256)) * 4096
    assert call(server.url, "PUT", f"{FILES}/3/large", (part for _ in range(100))).status == 200
    assert store.stat("3/large").size_bytes == 100 * MIB
    down = call(server.url, "GET", f"{FILES}/3/large", headers={"Range": f"bytes={50 * MIB}-{51 * MIB - 1}"})
    assert down.body == part
    assert call(server.url, "GET", f"{FILES}/3/large").body == part * 100
    assert peak_memory_of(server.workers()[0]) - before < 64 * MIB
    assert unfinished_in(store) == []


def test_an_uploader_that_goes_away_leaves_nothing(server: LiveServer, store: ObjectStore, proxy: FaultyProxy) -> None:
    parts_before = sum(each.body_bytes > MIB for each in proxy.calls)
    opened = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS)
    opened.sendall(
        b"PUT %s/4/gone/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n" % FILES.encode()
    )
    opened.sendall(bytes(13 * MIB))
    until(lambda: sum(each.body_bytes > MIB for each in proxy.calls) >= parts_before + 2, "parts have been sent")
    opened.close()
    until(lambda: not unfinished_in(store, "4"), "no part is left")
    assert call(server.url, "GET", f"{FILES}/4/gone/file").status == 404


def test_a_downloader_that_goes_away_stops_the_reading(
    server: LiveServer, store: ObjectStore, proxy: FaultyProxy
) -> None:
    put(store, "5/large", bytes(60 * MIB))

    def slow(each: Call) -> Treatment:
        return Pass(bytes_per_second=20 * MIB) if each.method == "GET" else Pass()

    proxy.treat = slow
    before = proxy.sent_bytes
    try:
        opened = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS)
        opened.sendall(b"GET %s/5/large HTTP/1.1\r\nHost: localhost\r\n\r\n" % FILES.encode())
        assert opened.recv(1000).startswith(b"HTTP/1.1 200")
        opened.close()
        until(lambda: proxy.under_way == 0, "the store is left alone")
    finally:
        proxy.treat = lambda _: Pass()
    assert call(server.url, "GET", "/health").status == 200
    assert proxy.sent_bytes - before < 30 * MIB


def test_runs_that_keep_their_artifacts_in_the_bucket(
    server: LiveServer, emulator: Emulator, store: ObjectStore
) -> None:
    run = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json["run"]["info"]
    root = f"0/{run['run_id']}/artifacts"
    assert run["artifact_uri"] == f"{emulator.uri}/direct/{root}"
    direct = ObjectStore(store.bucket, "direct")
    put(direct, f"{root}/model/MLmodel", b"flavors: {}")  # as the client does by itself
    listed = call(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?run_id={run['run_id']}&path=model").json
    assert listed == {
        "root_uri": run["artifact_uri"],
        "files": [{"path": "model/MLmodel", "is_dir": False, "file_size": 11}],
    }
    got = call(server.url, "GET", f"/get-artifact?run_id={run['run_id']}&path=model/MLmodel")
    assert (got.status, got.body) == (200, b"flavors: {}")
    uploaded = call(
        server.url, "POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run['run_id']}&path=note.txt", b"note"
    )
    assert uploaded.status == 200
    assert content_of(direct, f"{root}/note.txt") == b"note"


def test_what_is_collected_goes_from_the_bucket_too(
    server: LiveServer, emulator: Emulator, store: ObjectStore, proxy: FaultyProxy
) -> None:
    run_id = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"}).json["run"]["info"][
        "run_id"
    ]
    direct = ObjectStore(store.bucket, "direct")
    for path in ("a", "deep/b"):
        put(direct, f"0/{run_id}/artifacts/{path}", b"12")
    put(direct, f"0/{run_id}x/artifacts/c", b"neighbour")
    call_json(server.url, "POST", "/api/2.0/mlflow/runs/delete", {"run_id": run_id})
    folder = Path(f"/proc/{server.process.pid}/cwd").readlink()
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "tracking_server", "gc", "--json", "--run-ids", run_id),
            *("--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
            *("--artifacts-destination", f"{emulator.uri}/served", "--default-artifact-root", f"{emulator.uri}/direct"),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **emulator.environ},
    )
    report = json.loads(finished.stdout)
    assert (report["runs"], report["artifacts_files"], report["artifacts_bytes"], report["leftovers"]) == (1, 2, 4, 0)
    assert run_id not in names_of(direct, "0")
    assert f"{run_id}x" in names_of(direct, "0")


def test_a_refusal_of_the_store_is_told_at_once(server: LiveServer, proxy: FaultyProxy) -> None:
    proxy.treat = lambda _: Answer(status=403)
    try:
        for method in ("GET", "PUT", "DELETE"):
            reply = call(server.url, method, f"{FILES}/6/file", b"x" if method == "PUT" else None)
            assert (reply.status, reply.error_code) == (403, "PERMISSION_DENIED"), method
    finally:
        proxy.treat = lambda _: Pass()
