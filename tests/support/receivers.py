"""Who receives webhooks in tests: a small HTTP server in a thread, with a certificate of its own when asked for one."""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

import msgspec

from tests.support.certificates import write_key_and_certificate
from tests.support.threaded import threaded_server
from tracking_server.deliver.resolving import Resolve

PATIENCE_SECONDS: Final = 30.0
CERTIFIED_NAME: Final = "hooks.example.com"


def leads_to(*addresses: str) -> Resolve:
    """A name server that knows one answer."""

    def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    return resolve


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """The names of `headers` are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def delivery_id(self) -> str:
        return self.headers["x-mlflow-delivery-id"]

    @property
    def said(self) -> Mapping[str, object]:
        return msgspec.json.decode(self.body, type=dict[str, object])


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b"thanks"


class Receiver:
    """Answers with `replies` in turn, then with 200. While it is held, it answers nobody."""

    def __init__(self, port: int, *, is_encrypted: bool) -> None:
        self.port = port
        self.url = f"{'https' if is_encrypted else 'http'}://127.0.0.1:{port}/hook"
        self.replies: list[Reply] = []
        self._received: list[Received] = []
        self._arrival = threading.Condition()
        self._is_open = threading.Event()
        self._is_open.set()

    @property
    def received(self) -> Sequence[Received]:
        with self._arrival:
            return list(self._received)

    def wait_for(self, count: int) -> Sequence[Received]:
        with self._arrival:
            there = self._arrival.wait_for(lambda: len(self._received) >= count, PATIENCE_SECONDS)
            assert there, f"{len(self._received)} of {count} deliveries came"
            return list(self._received)

    @contextmanager
    def held(self) -> Generator[None]:
        self._is_open.clear()
        try:
            yield
        finally:
            self._is_open.set()

    def take(self, request: Received) -> Reply:
        with self._arrival:
            self._received.append(request)
            reply = self.replies.pop(0) if self.replies else Reply()
            self._arrival.notify_all()
        self._is_open.wait(PATIENCE_SECONDS)
        return reply


@contextmanager
def running_receiver(certificate: Path | None = None) -> Generator[Receiver]:
    """`certificate`: a file with it and its key; without one, plain HTTP."""
    with threaded_server(certificate) as server:
        receiver = Receiver(server.server_port, is_encrypted=certificate is not None)

        class Handler(_Handler):
            taker = receiver

        server.RequestHandlerClass = Handler
        yield receiver


class _Handler(BaseHTTPRequestHandler):
    taker: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.taker.take(Received(path=self.path, headers=headers, body=body))
        try:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)
        except OSError:  # the sender is gone
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the class above
        pass


def make_certificate(folder: Path) -> Path:
    """For CERTIFIED_NAME, signed by itself: good as the authority too."""
    return write_key_and_certificate(folder / "receiver.pem", hosts=[CERTIFIED_NAME], addresses=["203.0.113.1"])
