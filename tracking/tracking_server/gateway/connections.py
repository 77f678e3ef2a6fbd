"""Connections to the server behind, kept for a moment between calls."""

import os
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from typing import Final

from tracking_server.gateway.addresses import Address

_IDLE_SECONDS: Final = 1.5
"""gunicorn, which may run MLflow's server, closes a connection that has been idle for 2; uvicorn one for 5."""
_MOST_IDLE: Final = 64


class Connection:
    """One connection, open from the beginning. Raises OSError."""

    def __init__(
        self, address: Address, tls: ssl.SSLContext | None, *, connect_seconds: float, step_seconds: float
    ) -> None:
        self.address = address
        self.idle_since = 0.0
        self.http = (
            HTTPConnection(address.host, address.port, timeout=connect_seconds)
            if tls is None
            else HTTPSConnection(address.host, address.port, timeout=connect_seconds, context=tls)
        )
        self.http.auto_open = 0  # a connection that was lost is not replaced in the middle of a call
        self.http.connect()
        self._handle = _handle_of(self.http.sock)
        self.http.sock.settimeout(step_seconds)

    def expect_answer(self) -> None:
        """A server that sends head and body of an answer apart waits for our acknowledgement of the head, which Linux
        would hold back for 40 ms."""
        with suppress(OSError, AttributeError):
            self._handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def wake(self) -> None:
        """From any thread: whoever waits for the other side learns that nothing comes any more."""
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.http.close()
        self._handle.close()

    @property
    def is_quiet(self) -> bool:
        """Still open, and nothing has come that nobody has asked for."""
        poll = select.poll()
        poll.register(self._handle, select.POLLIN)
        return not poll.poll(0)


def _handle_of(connected: socket.socket) -> socket.socket:
    """Of our own: TLS takes the first one for itself, and the end of a call may come from another thread."""
    return socket.socket(fileno=os.dup(connected.fileno()))


class IdleConnections:
    """Threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def take(self, address: Address) -> Connection | None:
        """The one that was used last, of those that are still good."""
        while (connection := self._pop()) is not None:
            is_young = time.monotonic() - connection.idle_since < _IDLE_SECONDS
            if connection.address == address and is_young and connection.is_quiet:
                return connection
            connection.close()
        return None

    def give(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            self._idle.append(connection)
            left_over = self._idle.pop(0) if len(self._idle) > _MOST_IDLE else None
        if left_over is not None:
            left_over.close()

    def close(self) -> None:
        while (connection := self._pop()) is not None:
            connection.close()

    def _pop(self) -> Connection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None
