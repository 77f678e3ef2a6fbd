"""A proxy in front of an object store that does what networks and stores do: refuse, cut, corrupt, wait."""

import http.client
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from tests.support.threaded import threaded_server

_BEGINNING: Final = 4096
_CHUNK_BYTES: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    number: int
    method: str
    path: str
    body_bytes: int
    begins: bytes
    """The first bytes of the body."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pass:
    """`bytes_per_second` of the answer; `cut_after` so many bytes of its body the connection goes."""

    bytes_per_second: int | None = None
    cut_after: int | None = None
    corrupts_request: bool = False
    corrupts_answer: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class HangUp:
    """After the request has come, before anybody has seen it."""


Treatment: TypeAlias = Pass | Answer | HangUp


@dataclass(kw_only=True)
class FaultyProxy:
    """`treat` decides; it may be changed at any time. `sent_bytes`: of bodies of answers, in all."""

    upstream: str
    port: int = 0
    treat: Callable[[Call], Treatment] = lambda _: Pass()
    calls: list[Call] = field(default_factory=list[Call])
    sent_bytes: int = 0
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def answering(self) -> Generator[None]:
        with self.lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self.lock:
                self.under_way -= 1

    def sent(self, count: int) -> None:
        with self.lock:
            self.sent_bytes += count

    def count(self, method: str, path: str, body: bytes) -> Call:
        with self.lock:
            call = Call(
                number=len(self.calls) + 1, method=method, path=path, body_bytes=len(body), begins=body[:_BEGINNING]
            )
            self.calls.append(call)
            return call


@contextmanager
def faulty_proxy(upstream: str) -> Generator[FaultyProxy]:
    proxy = FaultyProxy(upstream=upstream)

    class Handler(ProxyHandler):
        faults = proxy

    with threaded_server() as server:
        server.RequestHandlerClass = Handler
        proxy.port = server.server_port
        yield proxy


class ProxyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    faults: FaultyProxy

    def handle_one_request(self) -> None:
        with suppress(OSError):
            super().handle_one_request()

    def _do(self) -> None:
        body = self._body()
        call = self.faults.count(self.command, self.path, body)
        match self.faults.treat(call):
            case Answer(status=status, body=answer):
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)
            case HangUp():
                self.close_connection = True
            case Pass() as treatment:
                with self.faults.answering():
                    self._pass_on(_corrupted(body) if treatment.corrupts_request else body, treatment)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = _do  # noqa: N815 - the names that it looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
        """Nothing: tests look at `calls`."""

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            chunks: list[bytes] = []
            while size := int(self.rfile.readline().partition(b";")[0], 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(chunks)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _pass_on(self, body: bytes, treatment: Pass) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.faults.upstream).netloc, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "transfer-encoding", "content-length", "expect"}:
                    connection.putheader(name, value)
            if body or self.command in {"PUT", "POST"}:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            self._answer(connection.getresponse(), treatment)
        finally:
            connection.close()

    def _answer(self, answer: http.client.HTTPResponse, treatment: Pass) -> None:
        content = b"" if self.command == "HEAD" else answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        if length is not None and answer.status != 204:
            self.send_header("Content-Length", length)
        self.end_headers()
        if treatment.corrupts_answer:
            content = _corrupted(content)
        if treatment.cut_after is not None and len(content) > treatment.cut_after:
            content = content[: treatment.cut_after]
            self.close_connection = True
        for start in range(0, len(content), _CHUNK_BYTES):
            chunk = content[start : start + _CHUNK_BYTES]
            self.wfile.write(chunk)
            self.faults.sent(len(chunk))
            if treatment.bytes_per_second is not None:
                time.sleep(len(chunk) / treatment.bytes_per_second)


def _corrupted(content: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :] if content else content
