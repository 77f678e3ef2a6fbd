"""Transfers whose other side misbehaves: who goes away, who is slow, who sends too much."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.http import call, connection_to, reply_on
from tests.support.processes import peak_memory_of
from tests.support.server import LiveServer

FILES = "/api/2.0/mlflow-artifacts/artifacts"
DEADLINE_SECONDS = 20.0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def files_below(folder: Path) -> list[Path]:
    return [path for path in (folder / "mlartifacts").rglob("*") if path.is_file()]


def open_socket(server: LiveServer, request: bytes) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS)
    opened.sendall(request)
    return opened


def open_files_of(pid: int) -> list[str]:
    found: list[str] = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue
    return found


def bytes_read_by(pid: int) -> int:
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 10000000", b"Transfer-Encoding: chunked"], ids=["length", "chunked"]
)
def test_an_uploader_that_goes_away_leaves_nothing(server: LiveServer, folder: Path, framing: bytes) -> None:
    before = len(files_below(folder))
    opened = open_socket(
        server, b"PUT %s/gone/file HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n" % (FILES.encode(), framing)
    )
    opened.sendall(b"f4240\r\n" + b"x" * 1_000_000)
    until(lambda: len(files_below(folder)) == before + 1, "the upload has begun")
    opened.close()
    until(lambda: len(files_below(folder)) == before, "nothing is left of the upload")
    assert call(server.url, "GET", f"{FILES}/gone/file").status == 404


def test_a_reset_connection_leaves_nothing(server: LiveServer, folder: Path) -> None:
    before = len(files_below(folder))
    opened = open_socket(
        server, b"PUT %s/reset/file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n" % FILES.encode()
    )
    opened.sendall(b"x" * 1_000_000)
    until(lambda: len(files_below(folder)) == before + 1, "the upload has begun")
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    opened.close()
    until(lambda: len(files_below(folder)) == before, "nothing is left of the upload")


def test_a_downloader_that_goes_away_stops_the_reading(server: LiveServer, folder: Path) -> None:
    size = 200_000_000
    large = folder / "mlartifacts" / "large" / "file"
    large.parent.mkdir(parents=True, exist_ok=True)
    with large.open("wb") as file:
        file.truncate(size)
    worker = server.workers()[0]
    before = bytes_read_by(worker)
    opened = open_socket(server, b"GET %s/large/file HTTP/1.1\r\nHost: localhost\r\n\r\n" % FILES.encode())
    opened.recv(1000)
    until(lambda: str(large) in open_files_of(worker), "the file is being read")
    opened.close()
    until(lambda: str(large) not in open_files_of(worker), "the file is closed")
    assert bytes_read_by(worker) - before < size / 10


def test_a_slow_downloader_is_waited_for(server: LiveServer, folder: Path) -> None:
    size = 200_000_000
    large = folder / "mlartifacts" / "slow" / "file"
    large.parent.mkdir(parents=True, exist_ok=True)
    with large.open("wb") as file:
        file.truncate(size)
    worker = server.workers()[0]
    before = bytes_read_by(worker)
    with open_socket(server, b"GET %s/slow/file HTTP/1.1\r\nHost: localhost\r\n\r\n" % FILES.encode()) as opened:
        opened.recv(1000)
        time.sleep(0.5)
        assert bytes_read_by(worker) - before < size / 10
        assert call(server.url, "GET", "/health").status == 200


def test_memory_does_not_grow_with_the_file(server: LiveServer) -> None:
    worker = server.workers()[0]
    call(server.url, "PUT", f"{FILES}/memory/small", b"x" * 1_000_000)
    before = peak_memory_of(worker)
    part = b"x" * 1_000_000
    assert call(server.url, "PUT", f"{FILES}/memory/file", (part for _ in range(300))).status == 200
    with connection_to(server.url) as connection:
        connection.request("GET", f"{FILES}/memory/file")
        response = connection.getresponse()
        received = 0
        while chunk := response.read(1_000_000):
            received += len(chunk)
    assert received == 300_000_000
    assert peak_memory_of(worker) - before < 32_000_000


def test_many_transfers_at_once(server: LiveServer) -> None:
    content = bytes(range(256)) * 8_000
    opened = [
        open_socket(
            server,
            b"PUT %s/many/%d HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
            % (FILES.encode(), number, len(content)),
        )
        for number in range(30)
    ]
    for start in range(0, len(content), 512_000):
        for each in opened:
            each.sendall(content[start : start + 512_000])
    for each in opened:
        assert each.recv(100).startswith(b"HTTP/1.1 200")
        each.close()
    for number in range(30):
        assert call(server.url, "GET", f"{FILES}/many/{number}").body == content


def test_a_connection_is_kept_over_refused_and_accepted_uploads(server: LiveServer) -> None:
    with connection_to(server.url) as connection:
        for path, status in (("kept/a", 200), ("..%2Fb", 400), ("kept/a/below", 400), ("kept/c", 200)):
            connection.request("PUT", f"{FILES}/{path}", body=b"x" * 300_000)
            assert reply_on(connection).status == status


def test_expect_continue(server: LiveServer) -> None:
    head = (
        b"PUT %s/expected HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        % FILES.encode()
    )
    with open_socket(server, head) as opened:
        assert opened.recv(100).startswith(b"HTTP/1.1 100")
        opened.sendall(b"abc")
        assert opened.recv(1000).startswith(b"HTTP/1.1 200")
