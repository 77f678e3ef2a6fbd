"""A server behind that is not there, or is slow."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import free_port
from tests.support.http import call
from tests.support.server import LiveServer, live_server
from tests.support.upstreams import Endless, ScriptedServer, Told

pytestmark = pytest.mark.xdist_group("gateway")

GET = "/api/2.0/mlflow/runs/get?run_id=1"
FILE = "/api/2.0/mlflow-artifacts/artifacts/0/a"


def test_a_server_that_is_not_there_is_503_until_it_is(tmp_path: Path) -> None:
    port = free_port()
    uri = f"http://user:hunter2@127.0.0.1:{port}"
    environ = {"MLFLOW_TRACKING_URI": uri, "HOME": str(tmp_path), "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
    (tmp_path / "behind").mkdir()
    with live_server(tmp_path, environ=environ) as server:
        for method, path, body in (
            ("GET", GET, None),
            ("POST", "/api/2.0/mlflow/runs/create", b"{}"),
            ("PUT", FILE, b"x"),
        ):
            reply = call(server.url, method, path, body)
            assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
            assert (
                f"http://127.0.0.1:{port}, which keeps the data of this one, cannot be reached" in reply.json["message"]
            )
            assert "hunter2" not in reply.json["message"]
        assert call(server.url, "PUT", FILE, b"x" * 2_000_000).status == 503
        assert call(server.url, "GET", "/readyz").status == 503
        assert call(server.url, "GET", "/health").status == 200
        with live_server(tmp_path / "behind", "--port", str(port)):
            assert call(server.url, "GET", "/readyz").status == 200
            assert call(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status == 200
        log = server.log.read_text()
        assert f'"calls are passed on to another server","server":"http://127.0.0.1:{port}"' in log
        assert "hunter2" not in log


@pytest.fixture(scope="module")
def impatient(behind: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("impatient")
    environ = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "HOME": str(folder)}
    with live_server(folder, "--backend-store-uri", behind.url, environ=environ) as server:
        yield server


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/2.0/mlflow/runs/create"), ("PUT", FILE)])
def test_a_server_that_does_not_answer_is_503(
    impatient: LiveServer, upstream: ScriptedServer, method: str, path: str
) -> None:
    with upstream.held():
        reply = call(impatient.url, method, path, b"{}")
        assert call(impatient.url, "GET", "/health").status == 200
    assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "within 1 seconds (MLFLOW_HTTP_REQUEST_TIMEOUT)" in reply.json["message"]
    assert len(upstream.wait_for(1)) == 1


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.0 200 OK\r\n\r\n"],
    ids=["head", "body"],
)
def test_a_server_that_always_says_a_little_more_is_503(
    impatient: LiveServer, upstream: ScriptedServer, head: bytes
) -> None:
    upstream.answer = lambda _: Endless(head=head, again=b"0", pause_seconds=0.05)
    reply = call(impatient.url, "GET", GET)
    assert reply.status == 503
    upstream.wait_for_end()


def test_a_probe_waits_two_seconds_at_most(gateway: LiveServer, upstream: ScriptedServer) -> None:
    with upstream.held():
        reply = call(gateway.url, "GET", "/readyz")
    assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
    upstream.answer = lambda _: Told(body=b"OK")
