"""Clients that send and take large files at the store itself, by addresses that the server signs for them."""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.artifact_stores import GROUP, REMOTE, names_of, open_bucket, put, unfinished_in
from tests.support.emulators import BUCKET, Emulator
from tests.support.http import Reply, call, call_json
from tests.support.server import LiveServer, live_server
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import StoreOptions
from tracking_server.errors import ConfigInvalid

PROXY = "/api/2.0/mlflow-artifacts"
TRACKING = "/api/2.0/mlflow"
PART = 5 * 1024 * 1024
UNSUPPORTED = "Multipart upload is not supported for the current artifact repository"
SERVER = (sys.executable, "-m", "tracking_server", "server", "--port", "0")
FLAGS = (
    "multipart_uploads_enabled",
    "multipart_downloads_enabled",
    "presigned_upload_run_id_supported",
    "presigned_upload_model_id_supported",
)
BIG = "/home/me/big file.bin"
TAKES_PARTS = pytest.mark.parametrize(
    "emulator", [pytest.param(name, marks=GROUP) for name in ("s3", "azure")], indirect=True
)
"""fake-gcs-server has no XML API, so none of Google's uploads in parts: test_signing.py looks at what that is asked."""


def _emulator(request: pytest.FixtureRequest, name: str) -> Emulator:
    request.getfixturevalue(f"{name}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(name)
    return found


def _environ(emulator: Emulator, google_key: Path) -> Mapping[str, str]:
    key = {"GOOGLE_APPLICATION_CREDENTIALS": str(google_key)} if emulator.name == "gcs" else {}
    return {**emulator.environ, **key, "ARTIFACT_ROOT": f"{emulator.uri}/own"}


@pytest.fixture(scope="module", params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    return _emulator(request, request.param)


@pytest.fixture(scope="module")
def server(emulator: Emulator, google_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp(f"presigned-{emulator.name}")
    destination = ("--artifacts-destination", f"{emulator.uri}/signed", "--artifacts-access", "presigned")
    with live_server(folder, *destination, environ=_environ(emulator, google_key)) as running:
        yield running


@pytest.fixture(scope="module")
def store(emulator: Emulator) -> Iterator[ObjectStore]:
    opened = ObjectStore(open_bucket(emulator.name, BUCKET, StoreOptions.from_environ(emulator.environ)), "signed")
    yield opened
    opened.close()


def mpu(server: LiveServer, step: str, folder: str, **fields: object) -> Reply:
    return call_json(server.url, "POST", f"{PROXY}/mpu/{step}{folder}", {"path": BIG, **fields})


def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[bytes, str]:
    request = urllib.request.Request(url, method=method, data=body, headers=dict(headers))
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: bytes = answer.read()
        return content, answer.headers.get("ETag", "")


def start(server: LiveServer, folder: str, parts: int) -> tuple[str, list[Any]]:
    created = mpu(server, "create", folder, num_parts=parts)
    assert created.status == 200, created
    return created.json["upload_id"], created.json["credentials"]


def test_the_server_says_what_clients_may_ask_for(server: LiveServer) -> None:
    info = call(server.url, "GET", "/api/3.0/mlflow/server-info").json
    assert [info[flag] for flag in FLAGS] == [True] * len(FLAGS)


@TAKES_PARTS
@pytest.mark.parametrize("folder", ["", "/1/run/artifacts/models"])
def test_an_upload_in_parts(server: LiveServer, store: ObjectStore, folder: str) -> None:
    content = bytes(range(256)) * (PART // 256) + b"end"
    upload_id, credentials = start(server, folder, 2)
    assert [each["part_number"] for each in credentials] == [1, 2]
    sent: list[object] = []
    for each in credentials:
        number = each["part_number"]
        piece = content[(number - 1) * PART : number * PART]
        _, etag = send("PUT", each["url"], each.get("headers", {}), piece)
        sent.append({"part_number": number, "etag": etag, "url": each["url"]})
    done = mpu(server, "complete", folder, upload_id=upload_id, parts=sent[::-1])
    assert (done.status, done.body) == (200, b"{}")
    key = f"{folder}/big file.bin".removeprefix("/")
    assert store.stat(key).size_bytes == len(content)
    with store.open(key) as reader:
        assert b"".join(iter(lambda: reader.read(512 * 1024), b"")) == content


@TAKES_PARTS
def test_an_upload_that_is_given_up_leaves_nothing(server: LiveServer, store: ObjectStore) -> None:
    upload_id, credentials = start(server, "/2/run", 2)
    send("PUT", credentials[0]["url"], credentials[0].get("headers", {}), bytes(PART))
    for _ in range(2):
        aborted = mpu(server, "abort", "/2/run", upload_id=upload_id)
        assert (aborted.status, aborted.body) == (200, b"{}")
    assert names_of(store, "2/run") == []
    assert unfinished_in(store, "2") == []
    late = mpu(server, "complete", "/2/run", upload_id=upload_id, parts=[{"part_number": 1, "etag": "x"}])
    assert 400 <= late.status < 500


@pytest.mark.parametrize("count", [-1, 0, 50_001, 2**62])
def test_the_number_of_parts_has_a_limit(server: LiveServer, count: int) -> None:
    reply = mpu(server, "create", "/3/run", num_parts=count)
    assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert "from 1 to" in reply.json["message"]


@pytest.mark.parametrize("numbers", [[], [0], [1, 1], [-1, 2]])
def test_parts_are_named_once_each(server: LiveServer, numbers: list[int]) -> None:
    parts = [{"part_number": number, "etag": "x"} for number in numbers]
    reply = mpu(server, "complete", "/3/run", upload_id="x", parts=parts)
    assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert "parts" in reply.json["message"]


@pytest.mark.parametrize("folder", ["/a%2F..%2Fb", "/%252e%252e", "/a%2F%2Fb", "/%2Fetc"])
def test_no_address_leads_out(server: LiveServer, folder: str) -> None:
    for reply in (
        mpu(server, "create", folder, num_parts=1),
        mpu(server, "abort", folder, upload_id="x"),
        call(server.url, "GET", f"{PROXY}/presigned{folder}/file"),
    ):
        assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("path", ["/home/me/", "/home/me/..", "..", "C:\\me\\..", "/home/.artifact.uploading.x"])
def test_a_path_of_the_client_that_ends_in_no_name(server: LiveServer, path: str) -> None:
    reply = mpu(server, "create", "/3/run", path=path, num_parts=1)
    assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")


@TAKES_PARTS
@pytest.mark.parametrize(
    "path", ["C:\\me\\big.bin", "D:/me/big.bin", "\\\\host\\share\\big.bin", "me\\big.bin", "big.bin"]
)
def test_only_the_name_of_the_clients_own_path_counts(server: LiveServer, path: str) -> None:
    created = mpu(server, "create", "/3/run", path=path, num_parts=1)
    assert urlsplit(str(created.json["credentials"][0]["url"])).path.endswith("/signed/3/run/big.bin")
    assert mpu(server, "abort", "/3/run", path=path, upload_id=created.json["upload_id"]).status == 200


def test_a_file_is_downloaded_from_the_store_itself(server: LiveServer, store: ObjectStore) -> None:
    put(store, "4/run/größe.txt", b"0123456789")
    reply = call(server.url, "GET", f"{PROXY}/presigned/4/run/gr%C3%B6%C3%9Fe.txt").json
    assert reply["file_size"] == 10
    assert server.url not in reply["url"]
    content, _ = send("GET", reply["url"], {**reply.get("headers", {}), "Range": "bytes=2-4"})
    assert content == b"234"


def test_a_file_that_is_not_there_has_no_address(server: LiveServer) -> None:
    reply = call(server.url, "GET", f"{PROXY}/presigned/4/run/none")
    assert (reply.status, reply.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_file_of_a_run_whose_own_root_is_the_store(server: LiveServer, emulator: Emulator) -> None:
    """So of a logged model, for uploads."""
    experiment = {"experiment_id": "0"}
    run = call_json(server.url, "POST", f"{TRACKING}/runs/create", experiment).json["run"]["info"]["run_id"]
    model = call_json(server.url, "POST", f"{TRACKING}/logged-models", experiment).json["model"]["info"]["model_id"]
    for owner in ({"run_id": run}, {"model_id": model}):
        asked = {**owner, "path": "folder/file", "expiration": 60}
        up = call_json(server.url, "POST", f"{TRACKING}/artifacts/presigned-upload-url", asked).json
        send("PUT", up["presigned_url"], up.get("headers", {}), b"content")
    asked = {"run_id": run, "path": "folder/file"}
    down = call_json(server.url, "POST", f"{TRACKING}/artifacts/presigned-download-url", asked).json
    assert down["file_size"] == 7
    assert send("GET", down["presigned_url"], down.get("headers", {}))[0] == b"content"
    assert call(server.url, "GET", f"/get-artifact?run_id={run}&path=folder/file").body == b"content"
    files = f"/ajax-api/2.0/mlflow/logged-models/{model}/artifacts/files?artifact_file_path=folder/file"
    assert call(server.url, "GET", files).body == b"content"
    for seconds in (0, -1, 604_801):
        for direction in ("upload", "download"):
            late = {**asked, "expiration": seconds}
            reply = call_json(server.url, "POST", f"{TRACKING}/artifacts/presigned-{direction}-url", late)
            assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")
            assert "from 1 to 604800" in reply.json["message"]


@GROUP
def test_a_server_that_is_told_nothing_signs_nothing(
    request: pytest.FixtureRequest, google_key: Path, tmp_path: Path
) -> None:
    emulator = _emulator(request, "s3")
    destination = ("--artifacts-destination", f"{emulator.uri}/proxied")
    with live_server(tmp_path, *destination, environ=_environ(emulator, google_key)) as server:
        info = call(server.url, "GET", "/api/3.0/mlflow/server-info").json
        assert [info[flag] for flag in FLAGS] == [False] * len(FLAGS)
        for reply in (
            mpu(server, "create", "/1/run", num_parts=2),
            mpu(server, "complete", "/1/run", upload_id="x", parts=[{"part_number": 1}]),
            mpu(server, "abort", "/1/run", upload_id="x"),
        ):
            assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
            assert reply.json["message"].startswith(UNSUPPORTED)
        assert call(server.url, "GET", f"{PROXY}/presigned/1/run/file").status == 501
        created = call_json(server.url, "POST", f"{TRACKING}/runs/create", {"experiment_id": "0"})
        asked = {"run_id": created.json["run"]["info"]["run_id"], "path": "x"}
        for direction in ("upload", "download"):
            assert call_json(server.url, "POST", f"{TRACKING}/artifacts/presigned-{direction}-url", asked).status == 501


@pytest.mark.parametrize("place", ["./mlartifacts", "file:///data"])
def test_a_server_over_a_folder_does_not_start(tmp_path: Path, place: str) -> None:
    finished = subprocess.run(
        [*SERVER, "--artifacts-access=presigned", f"--artifacts-destination={place}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == ConfigInvalid.exit_code
    assert f"{place!r} is a folder" in finished.stderr
    assert "TRACKPLANE_ARTIFACTS_ACCESS" in finished.stderr
