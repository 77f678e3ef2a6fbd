"""A server behind a gateway, in tests: it writes down what comes, lets in who is to be let in, and answers as told."""

import socket
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from tests.support.threaded import threaded_server

PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The names of `headers` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"{}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Raw:
    """Whatever a server of HTTP would never send. The connection ends behind it."""

    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Endless:
    """A few bytes again and again, with a pause between, until nobody listens any more."""

    head: bytes
    again: bytes
    pause_seconds: float = 0.0


Answer: TypeAlias = Told | Raw | Endless


def told_json(document: object, status: int = 200) -> Told:
    return Told(status=status, headers={"Content-Type": "application/json"}, body=msgspec.json.encode(document))


class ScriptedServer:
    """`answer` may be changed at any time. `lets_in`: the values of Authorization that are good; None asks nobody."""

    def __init__(self, port: int, *, is_encrypted: bool) -> None:
        self.url = f"{'https' if is_encrypted else 'http'}://127.0.0.1:{port}"
        self.lets_in: set[str] | None = None
        self.answer: Callable[[Seen], Answer] = lambda _: Told()
        self.refusal: Told | None = None
        """Told before a body was read, which is then thrown away; a status of 0 hangs up instead."""
        self.connections = 0
        self._seen: list[Seen] = []
        self._ended = 0
        self._change = threading.Condition()
        self.is_open = threading.Event()
        self.is_open.set()

    @property
    def seen(self) -> Sequence[Seen]:
        with self._change:
            return list(self._seen)

    def forget(self) -> None:
        with self._change:
            self._seen.clear()
            self._ended = 0
        self.answer = lambda _: Told()
        self.lets_in = None
        self.refusal = None

    def wait_for(self, count: int) -> Sequence[Seen]:
        with self._change:
            assert self._change.wait_for(lambda: len(self._seen) >= count, PATIENCE_SECONDS), f"{len(self._seen)} came"
            return list(self._seen)

    def wait_for_end(self, count: int = 1) -> None:
        """Of connections that somebody else has ended, in the middle of a request or of its answer."""
        with self._change:
            assert self._change.wait_for(lambda: self._ended >= count, PATIENCE_SECONDS), f"{self._ended} have ended"

    @contextmanager
    def held(self) -> Generator[None]:
        """It takes requests, and answers nobody."""
        self.is_open.clear()
        try:
            yield
        finally:
            self.is_open.set()

    def take(self, request: Seen) -> Answer:
        with self._change:
            self._seen.append(request)
            self._change.notify_all()
        self.is_open.wait(PATIENCE_SECONDS)
        if self.lets_in is not None and request.headers.get("authorization") not in self.lets_in:
            headers = {"WWW-Authenticate": 'Basic realm="mlflow"', "Content-Type": "text/plain"}
            return Told(status=401, headers=headers, body=b"You are not authenticated.")
        return self.answer(request)

    def ended(self) -> None:
        with self._change:
            self._ended += 1
            self._change.notify_all()


@contextmanager
def scripted_server(certificate: Path | None = None) -> Generator[ScriptedServer]:
    """`certificate`: a file with it and its key; without one, plain HTTP."""
    with threaded_server(certificate) as server:
        scripted = ScriptedServer(server.server_port, is_encrypted=certificate is not None)

        class Handler(_Handler):
            script = scripted

        server.RequestHandlerClass = Handler
        try:
            yield scripted
        finally:
            scripted.is_open.set()


class _Cut(OSError):
    pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ScriptedServer

    def setup(self) -> None:
        super().setup()
        self.script.connections += 1

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True
            self.script.ended()

    def _do(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        if (refusal := self.script.refusal) is not None:
            self._refuse(refusal)
            return
        seen = Seen(method=self.command, target=self.path, headers=headers, body=self._body())
        match self.script.take(seen):
            case Told() as told:
                self._tell(told)
            case Raw(content=content):
                self.close_connection = True
                self.wfile.write(content)
            case Endless(head=head, again=again, pause_seconds=pause_seconds):
                self.wfile.write(head)
                while True:
                    self.wfile.write(again)
                    time.sleep(pause_seconds)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _do  # noqa: N815 - the names that it looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has
        """Nothing: tests look at `seen`."""

    def _refuse(self, refusal: Told) -> None:
        self.close_connection = True
        if refusal.status:
            self._tell(refusal)
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(64 * 1024):
                pass

    def _tell(self, told: Told) -> None:
        self.send_response(told.status)
        for name, value in told.headers.items():
            self.send_header(name, value)
        if told.status not in {204, 304}:
            self.send_header("Content-Length", str(len(told.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(told.body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self._exactly(int(self.headers.get("Content-Length", 0)))
        chunks: list[bytes] = []
        while size := int(self._line(), 16):
            chunks.append(self._exactly(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise _Cut
        return line

    def _exactly(self, count: int) -> bytes:
        found = self.rfile.read(count)
        if len(found) < count:
            raise _Cut
        return found
