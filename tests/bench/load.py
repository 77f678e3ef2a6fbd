"""The load: a process of its own that keeps connections busy, each with one request after the other.

It speaks just enough HTTP to cost little: on a machine that it shares with the server, what it uses is not there to be
measured. A reply that is not 200, or a first body that is not what it should be, ends the measurement.
"""

import multiprocessing
import re
import resource
import select
import socket
import statistics
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

import msgspec

Request: TypeAlias = tuple[bytes, ...]
"""What is sent, in pieces: the same piece may come many times."""
Conversation: TypeAlias = Generator[Request, bytes, None]
"""Requests without end. Each gets the body of its reply, where these are kept."""

_BUFFER_BYTES: Final = 1 << 20
_IDLE_SECONDS: Final = 300.0
_MOST_TIMES_CUT_OFF: Final = 3
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    converse: Callable[[int], Conversation]
    """The number of a connection -> what is said on it."""
    connections: int
    seconds: float
    """No request begins later; what is under way is waited for."""
    check: Callable[[bytes], None]
    """Raises AssertionError for a body that is not the answer."""
    keeps_bodies: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    requests: int
    seconds: float
    median_ms: float
    client_cpu_seconds: float
    cut_off: int
    """Answers that the server did not send to their end, so that they were asked for again."""

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Failed:
    reason: str


def head(method: str, path: str, length: int = 0) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: localhost:5000\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


def get(path: str) -> Request:
    return (head("GET", path),)


def post(path: str, document: object) -> Request:
    body = msgspec.json.encode(document)
    return (head("POST", path, len(body)) + body,)


def again(request: Request) -> Conversation:
    """The same, for ever."""
    while True:
        yield request


def each_of(requests: Iterable[Request]) -> Conversation:
    yield from requests


def _nothing() -> None:
    pass


def put_under_load(port: int, load: Load, *, meanwhile: Callable[[], None] = _nothing) -> Measured:
    """`meanwhile` is called all the time. Raises AssertionError when an answer is wrong."""
    context = multiprocessing.get_context("fork")  # this process has one thread; nothing has to be carried over
    ours, theirs = context.Pipe()
    process = context.Process(target=_run, args=(theirs, port, load))
    process.start()
    theirs.close()
    while not ours.poll(0.05):
        meanwhile()
    try:
        outcome: Measured | Failed = ours.recv()
    except EOFError:
        outcome = Failed("the process that makes the load died")
    process.join()
    match outcome:
        case Measured():
            return outcome
        case Failed(reason=reason):
            raise AssertionError(reason)


def _run(pipe: Connection, port: int, load: Load) -> None:
    try:
        pipe.send(_keep_busy(port, load))
    except Exception as error:  # noqa: BLE001 - told to whoever waits for the figures
        pipe.send(Failed(f"{type(error).__name__}: {error}"))


class _Client:
    def __init__(self, port: int, conversation: Conversation, *, keeps_bodies: bool) -> None:
        self._port = port
        self._connect()
        self._conversation = conversation
        self._request: Request = ()
        self._keeps_bodies = keeps_bodies
        self.is_first = True
        self.body = b""
        self.started = 0.0
        self.times_cut_off = 0
        self._begin()

    def _connect(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=_IDLE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self) -> None:
        self._request = next(self._conversation) if self.is_first else self._conversation.send(self.body)
        self._begin()
        self.started = time.perf_counter()
        self._send_all()

    def send_again(self) -> None:
        """On a new connection, as every client when a server cuts off an answer, or closes before it has begun one."""
        if self.times_cut_off == _MOST_TIMES_CUT_OFF:
            raise AssertionError("the server has cut off too many answers on one connection")
        self.times_cut_off += 1
        self.socket.close()
        self._connect()
        self._begin()
        self._send_all()

    def _send_all(self) -> None:
        for piece in self._request:
            self.socket.sendall(piece)

    def receive(self, buffer: memoryview) -> bool:
        """Whether the reply is complete. Raises ConnectionError when the server has closed the connection."""
        count = self.socket.recv_into(buffer)
        if not count:
            raise ConnectionResetError
        if self._left < 0:
            self._head += buffer[:count]
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return False
            return self._begin_body(bytes(self._head[: end + 2]), bytes(self._head[end + 4 :]))
        return self._take(buffer[:count])

    def _begin(self) -> None:
        self._head = bytearray()
        self._parts: list[bytes] = []
        self._left = -1
        self._is_chunked = False
        self._tail = b""

    def _begin_body(self, reply_head: bytes, rest: bytes) -> bool:
        if not reply_head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"the server answered {(reply_head + rest)[:500]!r}")
        length = _LENGTH.search(reply_head)
        self._is_chunked = length is None and _CHUNKED.search(reply_head) is not None
        self._left = int(length[1]) if length else 0
        return self._take(memoryview(rest))

    def _take(self, part: memoryview) -> bool:
        if self.is_first or self._keeps_bodies:
            self._parts.append(bytes(part))
        if self._is_chunked:
            self._tail = (self._tail + bytes(part[-5:]))[-5:]
            is_complete = self._tail == b"0\r\n\r\n"
        else:
            self._left -= len(part)
            is_complete = self._left <= 0
        if is_complete and self._parts:
            self.body = b"".join(self._parts)
        return is_complete


def _keep_busy(port: int, load: Load) -> Measured:
    clients = {
        client.socket.fileno(): client
        for client in (
            _Client(port, load.converse(number), keeps_bodies=load.keeps_bodies) for number in range(load.connections)
        )
    }
    poll = select.epoll()
    for descriptor in clients:
        poll.register(descriptor, select.EPOLLIN)
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    cpu = _own_cpu_seconds()
    started = ended = time.perf_counter()
    times: list[float] = []
    for client in clients.values():
        client.send()
    under_way = len(clients)
    while under_way:
        ready = poll.poll(_IDLE_SECONDS)
        if not ready:
            raise AssertionError(f"no answer within {_IDLE_SECONDS:.0f} seconds")
        for descriptor, _ in ready:
            client = clients[descriptor]
            try:
                is_complete = client.receive(buffer)
            except ConnectionError:
                del clients[descriptor]
                client.send_again()
                clients[client.socket.fileno()] = client
                poll.register(client.socket.fileno(), select.EPOLLIN)
                continue
            if not is_complete:
                continue
            ended = time.perf_counter()
            times.append(ended - client.started)
            if client.is_first:
                load.check(client.body)
                client.is_first = False
                if not load.keeps_bodies:
                    client.body = b""
            if ended - started < load.seconds:
                client.send()
            else:
                under_way -= 1
    return Measured(
        requests=len(times),
        seconds=ended - started,
        median_ms=statistics.median(times) * 1000,
        client_cpu_seconds=_own_cpu_seconds() - cpu,
        cut_off=sum(client.times_cut_off for client in clients.values()),
    )


def _own_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
