"""A connection that sends bytes as they are and reads answers one by one."""

import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

TIMEOUT_SECONDS: Final = 60.0


class Closed(Exception):
    """The server closed the connection instead of an answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Wire:
    """Opens a connection when it needs one."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._held = b""

    def ask(self, request: bytes, *, is_head: bool = False, is_last: bool = False) -> Answer:
        """`is_last`: what follows on this connection would not be understood. A kept one that died is replaced."""
        kept = self._socket is not None
        try:
            answer = self._ask(request, is_head=is_head)
        except (Closed, ConnectionError):
            self.close()
            if not kept:
                raise Closed from None
            answer = self._ask(request, is_head=is_head)
        if is_last or answer.headers.get("connection") == "close":
            self.close()
        return answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._held = None, b""

    def _ask(self, request: bytes, *, is_head: bool) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):  # it may have answered before it stopped listening
            self._socket.sendall(request)
        return self._read(self._socket, is_head=is_head)

    def _read(self, opened: socket.socket, *, is_head: bool) -> Answer:
        while b"\r\n\r\n" not in self._held:
            self._more(opened)
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        if status == 100:
            return self._read(opened, is_head=is_head)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if is_head or status in {204, 304} else int(headers.get("content-length", "0"))
        while len(self._held) < length:
            self._more(opened)
        body, self._held = self._held[:length], self._held[length:]
        return Answer(status=status, headers=headers, body=body)

    def _more(self, opened: socket.socket) -> None:
        part = opened.recv(65_536)
        if not part:
            raise Closed
        self._held += part
