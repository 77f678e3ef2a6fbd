"""Clients that hold on to the server instead of using it: each has an end, and nobody else notices."""

import resource
import socket
import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from tests.support.children import eventually
from tests.support.http import call
from tests.support.processes import connections_to, memory_of, threads_of
from tests.support.server import LiveServer, live_server

SHORT = {"TRACKPLANE_HEAD_TIMEOUT_SECONDS": "1", "TRACKPLANE_IDLE_TIMEOUT_SECONDS": "1"}
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CREATE = "/api/2.0/mlflow/experiments/create"
POST = f"POST {CREATE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
PROMPT_SECONDS = 5.0
"""For /health: it takes a millisecond, but the machine may be busy with something else."""


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that waits for a second at most."""
    with live_server(tmp_path_factory.mktemp("hasty"), environ=SHORT) as running:
        yield running


@contextmanager
def connected(server: LiveServer, sent: bytes = b"") -> Generator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as opened:
        opened.sendall(sent)
        yield opened


def all_of(opened: socket.socket) -> bytes:
    """Until the server closes."""
    answer = b""
    with suppress(ConnectionError):
        while part := opened.recv(65_536):
            answer += part
    return answer


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and message of an answer that the edge gave."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"content-type: application/json" in head
    return int(head[9:12]), msgspec.json.decode(body)["message"]


def trickle(opened: socket.socket, byte: bytes) -> bytes:
    """One byte after the other, until the server has had enough; then what it said."""
    deadline = time.monotonic() + 30
    opened.settimeout(0.1)
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            try:
                opened.sendall(byte)
                return opened.recv(65_536) + all_of(opened)
            except ConnectionError:
                return b""
    raise AssertionError("the server is still waiting")


def is_healthy(server: LiveServer) -> bool:
    started = time.monotonic()
    return call(server.url, "GET", "/health").status == 200 and time.monotonic() - started < PROMPT_SECONDS


@pytest.mark.parametrize(
    "start", [b"", b"G", b"GET /health HTTP/1.1\r\nHost: loc"], ids=["nothing", "a byte", "half a head"]
)
def test_a_head_that_does_not_come_is_not_waited_for(hasty: LiveServer, start: bytes) -> None:
    with connected(hasty, start) as opened:
        answer = all_of(opened)
    assert answer == b"" if not start else refusal(answer) == (408, "The head of the request took over 1 seconds.")


def test_a_head_that_trickles_is_not_waited_for(hasty: LiveServer) -> None:
    with connected(hasty, b"GET /health HTTP/1.1\r\nX: ") as opened:
        assert refusal(trickle(opened, b"x"))[0] == 408


def test_a_kept_connection_has_as_long_for_its_next_head(hasty: LiveServer) -> None:
    with connected(hasty, HEALTH) as opened:
        opened.sendall(b"GET /he")
        first, _, second = all_of(opened).partition(b"\r\n\r\nOK")
        assert first.startswith(b"HTTP/1.1 200")
        assert refusal(second)[0] == 408


def test_a_head_of_many_fields_is_refused(hasty: LiveServer) -> None:
    fields = b"".join(b"x%d: y\r\n" % number for number in range(500))
    with connected(hasty, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + fields + b"\r\n") as opened:
        assert refusal(all_of(opened)) == (400, "The head of the request has more than 200 fields.")


@pytest.mark.parametrize(
    ("framing", "byte"),
    [(b"Content-Length: 100000\r\n\r\n{", b" "), (b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", b"1\r\n \r\n")],
    ids=["length", "chunked"],
)
def test_a_body_that_trickles_is_not_waited_for(hasty: LiveServer, framing: bytes, byte: bytes) -> None:
    with connected(hasty, POST + framing) as opened:
        assert refusal(trickle(opened, byte)) == (408, "The body of the request came too slowly.")


def test_a_file_that_trickles_leaves_nothing(hasty: LiveServer) -> None:
    head = f"PUT {FILES}/slow/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n".encode()
    with connected(hasty, head + b"x" * 1_000) as opened:
        assert refusal(trickle(opened, b"x"))[0] == 408
    eventually(lambda: not [path for path in (hasty.log.parent / "mlartifacts").rglob("*") if path.is_file()])


def test_who_does_not_take_a_file_is_dropped(hasty: LiveServer) -> None:
    assert call(hasty.url, "PUT", f"{FILES}/large", b"x" * 30_000_000).status == 200
    eventually(lambda: connections_to(hasty.port) == 0)
    with connected(hasty, f"GET {FILES}/large HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()):
        eventually(lambda: connections_to(hasty.port) == 1)
        eventually(lambda: connections_to(hasty.port) == 0)
    assert is_healthy(hasty)


def test_who_does_not_take_a_large_answer_is_dropped(hasty: LiveServer) -> None:
    experiment = call(hasty.url, "POST", CREATE, b'{"name": "large"}', {"Content-Type": "application/json"}).json[
        "experiment_id"
    ]
    tags = [{"key": f"k{number}", "value": "x" * 8000} for number in range(100)]
    for _ in range(30):
        body = msgspec.json.encode({"experiment_id": experiment, "tags": tags})
        assert (
            call(hasty.url, "POST", "/api/2.0/mlflow/runs/create", body, {"Content-Type": "application/json"}).status
            == 200
        )
    search = msgspec.json.encode({"experiment_ids": [experiment]})
    head = b"POST /api/2.0/mlflow/runs/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    request = head + b"Content-Length: %d\r\n\r\n" % len(search) + search
    eventually(lambda: connections_to(hasty.port) == 0)
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(connected(hasty, request))
        eventually(lambda: connections_to(hasty.port) == 4)
        assert is_healthy(hasty)
        eventually(lambda: connections_to(hasty.port) == 0)
    whole = call(hasty.url, "POST", "/api/2.0/mlflow/runs/search", search, {"Content-Type": "application/json"})
    assert len(whole.json["runs"]) == 30


def test_thousands_of_requests_ahead_of_their_answers_are_refused(hasty: LiveServer) -> None:
    with connected(hasty) as opened:
        with suppress(ConnectionError):
            opened.sendall(HEALTH * 5000)
        answer = all_of(opened)
    assert answer.count(b"HTTP/1.1") <= 5000
    assert b"HTTP/1.1 5" not in answer
    assert is_healthy(hasty)


def test_idle_connections_by_the_thousand_crowd_nobody_out(tmp_path: Path) -> None:
    """As many as the limits of this process allow, up to 10,000: more than the server keeps."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10_000, hard - 500)
    with (
        live_server(tmp_path, environ={"TRACKPLANE_MAX_CONNECTIONS": str(min(4096, count // 2))}) as server,
        ExitStack() as stack,
    ):
        assert is_healthy(server)
        worker = server.workers()[0]
        memory, threads = memory_of(worker), threads_of(worker)
        for number in range(count):
            opened = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            if number % 2:
                opened.sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
        assert is_healthy(server)
        assert call(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").status == 200
        assert connections_to(server.port) <= min(4096, count // 2) + 5
        assert threads_of(worker) == threads
        assert memory_of(worker) - memory < 150 * 2**20
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_every_connection_is_at_work_the_next_one_is_told_so(tmp_path: Path) -> None:
    head = f"PUT {FILES}/busy/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
    with live_server(tmp_path, environ={"TRACKPLANE_MAX_CONNECTIONS": "3"}) as server, ExitStack() as stack:
        busy = [stack.enter_context(connected(server, (head % number).encode())) for number in range(3)]
        eventually(lambda: _is_turned_away(server))
        for opened in busy:
            opened.sendall(b"x" * 10)
            assert opened.recv(1000).startswith(b"HTTP/1.1 200")
        assert is_healthy(server)


def _is_turned_away(server: LiveServer) -> bool:
    """The three before it may not have been noticed yet."""
    with connected(server) as opened:
        opened.settimeout(0.2)
        with suppress(TimeoutError):
            answer = all_of(opened)
            assert b"retry-after: 1" in answer
            return refusal(answer) == (503, "The server has as many connections as it may. Try again.")
    return False


def test_a_full_queue_is_told_at_once_and_health_does_not_wait_in_it(tmp_path: Path) -> None:
    """Every write waits for a lock on the database; of 400, those that find the queue full do not."""
    with live_server(tmp_path, environ={"MLFLOW_LOGGING_LEVEL": "WARNING"}) as server, ExitStack() as stack:
        assert is_healthy(server)
        worker = server.workers()[0]
        threads = threads_of(worker)
        lock = stack.enter_context(closing(sqlite3.connect(tmp_path / "mlflow.db", isolation_level=None)))
        lock.execute("BEGIN IMMEDIATE")
        clients: list[socket.socket] = []
        for number in range(400):
            body = b'{"name": "experiment %d"}' % number
            clients.append(
                stack.enter_context(connected(server, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body))
            )
        refused = [client.recv(2000) for client in clients[-50:]]
        assert all(answer.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in answer for answer in refused)
        assert is_healthy(server)
        assert threads_of(worker) == threads
        lock.execute("ROLLBACK")
        assert clients[0].recv(2000).startswith(b"HTTP/1.1 200")
        eventually(lambda: call(server.url, "GET", "/readyz").status == 200)


def test_who_vanishes_without_a_word_is_forgotten(hasty: LiveServer) -> None:
    """In the middle of a head, of a body, and of an answer."""
    for _ in range(30):
        for sent in (
            b"GET /hea",
            POST + b"Content-Length: 50\r\n\r\n{",
            f"GET {FILES}/large HTTP/1.1\r\nHost: a\r\n\r\n".encode(),
        ):
            opened = socket.create_connection(("127.0.0.1", hasty.port), timeout=30)
            opened.sendall(sent)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            opened.close()
    eventually(lambda: connections_to(hasty.port) == 0)
    assert is_healthy(hasty)


def test_nothing_of_this_was_a_surprise(hasty: LiveServer) -> None:
    """The last test of this module."""
    lines = [msgspec.json.decode(line) for line in hasty.log.read_text().splitlines() if line.startswith("{")]
    assert [line for line in lines if "traceback" in line or line["level"] == "error"] == []
