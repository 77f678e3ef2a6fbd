"""What a web page that somebody visits can and cannot do to a server on their network."""

import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.http import Reply, call
from tests.support.server import LiveServer, live_server

READ = "/api/2.0/mlflow/experiments/get?experiment_id=0"
WRITE = "/api/2.0/mlflow/experiments/set-experiment-tag"
BODY = b'{"experiment_id": "0", "key": "k", "value": "v"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    with live_server(
        tmp_path_factory.mktemp("server"),
        environ={
            "MLFLOW_SERVER_ALLOWED_HOSTS": "ml.example.com,*.internal:8443",
            "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": "https://app.example.com",
        },
    ) as running:
        yield running


def write(server: LiveServer, prefix: str = "/api", **headers: str) -> Reply:
    path = WRITE.replace("/api", prefix, 1)
    return call(server.url, "POST", path, BODY, {"Content-Type": "application/json", **headers})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("10.1.2.3:80", 200),
        ("ml.example.com", 200),
        ("ML.example.com:5000", 200),
        ("a.internal:8443", 200),
        ("a.internal", 403),
        ("evil.example.com", 403),
        ("10.evil.example.com", 403),
        ("localhost.evil.example.com", 403),
        ("8.8.8.8", 403),
        ("ml.example.com@evil.example.com", 403),
        ("", 403),
    ],
)
def test_only_hosts_that_are_ours_are_answered(server: LiveServer, host: str, status: int) -> None:
    reply = call(server.url, "GET", READ, headers={"Host": host})
    assert reply.status == status
    if status == 403:
        assert reply.error_code == "PERMISSION_DENIED"
        assert call(server.url, "GET", "/nowhere", headers={"Host": host}).status == 403


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_a_strangers_page_may_not_write(server: LiveServer, prefix: str) -> None:
    for origin in ("https://evil.example.com", "null", "http://localhost.evil.example.com", "https://ml.example.com"):
        reply = write(server, prefix, Origin=origin)
        assert (reply.status, reply.error_code) == (403, "PERMISSION_DENIED"), origin
        assert "access-control-allow-origin" not in reply.headers
    for origin in ("http://localhost:3000", "http://[::1]:3000", "https://app.example.com"):
        assert write(server, prefix, Origin=origin).status == 200
    assert write(server, prefix).status == 200


def test_a_page_of_the_server_itself_may_write(server: LiveServer) -> None:
    assert write(server, Host="ml.example.com", Origin="https://ml.example.com").status == 200


def test_a_strangers_page_can_neither_upload_nor_delete(server: LiveServer) -> None:
    for method in ("PUT", "DELETE"):
        reply = call(
            server.url,
            method,
            "/api/2.0/mlflow-artifacts/artifacts/0/x",
            b"x" if method == "PUT" else None,
            {"Origin": "https://evil.example.com"},
        )
        assert reply.status == 403


def test_a_simple_content_type_does_not_reach_a_service(server: LiveServer) -> None:
    reply = call(server.url, "POST", WRITE, BODY, {"Content-Type": "text/plain"})
    assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")


def test_only_allowed_origins_may_read_the_answer(server: LiveServer) -> None:
    allowed = call(server.url, "GET", READ, headers={"Origin": "https://app.example.com"})
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.com"
    assert allowed.headers["vary"] == "Origin"
    foreign = call(server.url, "GET", READ, headers={"Origin": "https://evil.example.com"})
    assert foreign.status == 200
    assert "access-control-allow-origin" not in foreign.headers


def test_a_preflight_is_answered(server: LiveServer) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = call(server.url, "OPTIONS", WRITE, headers={"Origin": "https://app.example.com", **wanted})
    assert (allowed.status, allowed.body) == (204, b"")
    assert allowed.headers["access-control-allow-headers"] == "content-type"
    assert "POST" in allowed.headers["access-control-allow-methods"]
    foreign = call(server.url, "OPTIONS", WRITE, headers={"Origin": "https://evil.example.com", **wanted})
    assert foreign.status == 204
    assert "access-control-allow-origin" not in foreign.headers
    assert call(server.url, "OPTIONS", "/nowhere").status == 404


def test_two_hosts_are_one_too_many(server: LiveServer) -> None:
    request = f"GET {READ} HTTP/1.1\r\nHost: localhost\r\nHost: evil.example.com\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(request.encode())
        assert opened.recv(100).startswith(b"HTTP/1.1 400")


def test_the_checks_can_be_turned_off(tmp_path: Path) -> None:
    with live_server(tmp_path, "--disable-security-middleware", "--x-frame-options", "NONE") as server:
        reply = write(server, Host="evil.example.com", Origin="https://evil.example.com")
        assert reply.status == 200
        assert "x-frame-options" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"
