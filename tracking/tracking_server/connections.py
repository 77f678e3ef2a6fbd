"""HTTP connections of one server process, bounded in number, in time and in space.

uvicorn and its parser wait and grow for ever: for a head that never ends, a body of a byte a minute, a client that does
not take its answer, as many connections as come. Here each of these has an end. Connections that wait for nothing but
their next request give way to new ones when there are too many, the one that has waited longest first.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

HEAD_LIMIT_BYTES: Final = 64 * 1024
HEAD_LIMIT_FIELDS: Final = 200
PIPELINE_LIMIT: Final = 64
"""Requests that a client may send ahead of their answers; browsers and the MLflow client send none."""

SLOWEST_BYTES_PER_SECOND: Final = 1024
"""A client that is slower than this, once it has kept us waiting for the idle time, is as good as gone."""

_LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionLimits:
    """`head_seconds`: from the first byte, or the connection, to the end of a head. `idle_seconds`: how long a client
    may let us wait in the middle of a body or of an answer."""

    connections: int
    head_seconds: float
    idle_seconds: float


class Connections:
    """What uvicorn makes connections with, and the list of those that wait for a request. Belongs to one event loop."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._waiting: dict[Connection, None] = {}
        self._open: set[Connection] = set()
        self._look: asyncio.TimerHandle | None = None

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> "Connection":
        return Connection(self, config, server_state, app_state, _loop)

    def opened(self, connection: "Connection") -> bool:
        """Whether there is room for it."""
        self._open.add(connection)
        if self._look is None:
            self._look_later(connection.loop)
        if len(self._open) > self.limits.connections:
            if not self._waiting:
                return False
            next(iter(self._waiting)).make_room()
        self._waiting[connection] = None
        return True

    def closed(self, connection: "Connection") -> None:
        self._open.discard(connection)
        self._waiting.pop(connection, None)

    def works(self, connection: "Connection") -> None:
        self._waiting.pop(connection, None)

    def waits(self, connection: "Connection") -> None:
        self._waiting[connection] = None

    def _look_later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._look = loop.call_later(_LOOK_SECONDS, self._look_at_all, loop)

    def _look_at_all(self, loop: asyncio.AbstractEventLoop) -> None:
        self._look = None
        now = loop.time()
        for connection in list(self._open):
            connection.look(now)
        if self._open:
            self._look_later(loop)


class Connection(HttpToolsProtocol):
    """One connection. `look` is called every second: a timer for each request would cost more."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._all = connections
        self._limits = connections.limits
        self._head_bytes = 0
        self._is_in_head = True
        self._is_head_begun = False
        self._has_begun = False
        self._head_since: float | None = None
        self._body_since: float | None = None
        self._body_bytes = 0
        self._stalled: tuple[float, int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._head_since = self.loop.time()
        if not self._all.opened(self):
            self._refuse(503, "TEMPORARILY_UNAVAILABLE", "The server has as many connections as it may. Try again.")

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.closed(self)
        super().connection_lost(exc)

    def make_room(self) -> None:
        self._all.works(self)
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        """What a read brings is parsed first: it may be a short head and much of a body."""
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_LIMIT_BYTES:
            self.send_400_response(f"The head of the request is larger than {HEAD_LIMIT_BYTES} bytes.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_head_begun = True
        if self._head_since is None:
            self._head_since = self.loop.time()

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > HEAD_LIMIT_FIELDS:
            self.send_400_response(f"The head of the request has more than {HEAD_LIMIT_FIELDS} fields.")
            raise _Refused

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= PIPELINE_LIMIT:
            self.send_400_response(f"More than {PIPELINE_LIMIT} requests wait for their answers.")
            raise _Refused
        if sum(name == b"host" for name, _ in self.headers) > 1:  # what stands behind it may be another's request
            self.send_400_response("The request has more than one Host header.")
            raise _Refused
        self._is_in_head = False
        self._is_head_begun = False
        self._head_since = None
        self._body_since = self.loop.time()
        self._body_bytes = 0
        self._all.works(self)
        super().on_headers_complete()
        self._has_begun = True

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        held: bytes | bytearray = self.cycle.body
        if not held:  # uvicorn adds to it, and makes bytes of it: of bytes neither makes a copy
            self.cycle.body = b""  # type: ignore[assignment]  # as good as a bytearray for what is done with it
        elif isinstance(held, bytes):
            self.cycle.body = bytearray(held)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        self._body_since = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.pipeline and self.cycle.response_complete and not self.transport.is_closing():
            self._all.waits(self)

    def resume_writing(self) -> None:
        self._stalled = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """An answer that the client has not taken by now would keep the connection for ever."""
        self._end()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "BAD_REQUEST", msg)

    def look(self, now: float) -> None:
        if self._head_since is not None and now - self._head_since > self._limits.head_seconds:
            self._give_up_head()
        elif self._body_since is not None:
            self._look_at_body(now, self._body_since)
        if self.flow.write_paused or self.transport.is_closing():
            self._look_at_answer(now)

    def _give_up_head(self) -> None:
        self._head_since = None
        if self._is_head_begun:
            self._refuse(
                408, "BAD_REQUEST", f"The head of the request took over {self._limits.head_seconds:g} seconds."
            )
        else:
            self._end()

    def _look_at_body(self, now: float, since: float) -> None:
        """Time in which we do not read counts for nobody."""
        if self.flow.read_paused:
            self._body_since = since + _LOOK_SECONDS
        elif now - since > self._limits.idle_seconds + self._body_bytes / SLOWEST_BYTES_PER_SECOND:
            self._give_up_body()

    def _give_up_body(self) -> None:
        """The request that waits for its body gets no other answer: whoever reads it learns that the client is gone."""
        if not self.cycle.response_started and not self.pipeline and not self.transport.is_closing():
            self.transport.write(_refusal(408, "BAD_REQUEST", "The body of the request came too slowly."))
        self.transport.close()

    def _look_at_answer(self, now: float) -> None:
        left = self.transport.get_write_buffer_size()
        if self._stalled is None:
            self._stalled = (now, left)
            return
        since, before = self._stalled
        if now - since >= self._limits.idle_seconds:
            if before - left < self._limits.idle_seconds * SLOWEST_BYTES_PER_SECOND:
                self.transport.abort()
            self._stalled = (now, left)

    def _end(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int, error_code: str, message: str) -> None:
        """An answer that has begun cannot be followed by another: it is left incomplete."""
        if self.transport.is_closing():
            return
        if not self._has_begun or self.cycle.response_complete:
            self.transport.write(_refusal(status, error_code, message))
        self.transport.close()


class _Refused(Exception):
    """Tells the parser to stop: the answer is sent already."""


def _refusal(status: int, error_code: str, message: str) -> bytes:
    body = msgspec.json.encode({"error_code": error_code, "message": message})
    retry = b"retry-after: 1\r\n" if status == 503 else b""
    head = b"content-type: application/json\r\nconnection: close\r\n%bcontent-length: %d\r\n\r\n" % (retry, len(body))
    return STATUS_LINE[status] + head + body
