"""A pooler in front of PostgreSQL as small as can be: each transaction, or each client, gets a session of its own.

It speaks enough of the protocol for tests: no TLS, no password, no cancellation. A transaction gets the session that
has been idle longest.
"""

import socket
import struct
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

READY: Final = b"Z"
IDLE: Final = b"I"
TERMINATE: Final = b"X"
AUTHENTICATION_OK: Final = b"R" + struct.pack(">ii", 8, 0)
PROCESS_OF_NOBODY: Final = b"K" + struct.pack(">iii", 12, 4711, 0)
READY_AND_IDLE: Final = READY + struct.pack(">i", 5) + IDLE
NEGOTIATIONS: Final = frozenset({80877103, 80877104})
"""Codes with which a client asks for encryption."""


@dataclass
class Pooler:
    backend: Path
    database: str
    is_per_transaction: bool
    idle: deque[socket.socket] = field(default_factory=deque[socket.socket])

    def session(self) -> socket.socket:
        with suppress(IndexError):
            return self.idle.popleft()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.backend))
        parameters = f"user\0trackplane\0database\0{self.database}\0\0".encode()
        connection.sendall(struct.pack(">ii", 8 + len(parameters), 196608) + parameters)
        while not read_message(connection).startswith(READY):
            pass
        return connection

    def serve(self, client: socket.socket) -> None:
        with client, suppress(ConnectionError):
            greet(client)
            if self.is_per_transaction:
                while not (message := read_message(client)).startswith(TERMINATE):
                    session = self.session()
                    with closing_on_failure(session):
                        self.carry(message, client, session)
                    self.idle.append(session)
            else:
                with self.session() as session:
                    while not (message := read_message(client)).startswith(TERMINATE):
                        self.carry(message, client, session)

    def carry(self, message: bytes, client: socket.socket, session: socket.socket) -> None:
        """A transaction, until the session says that it is idle again."""
        while True:
            session.sendall(message)
            if message[:1] in {b"Q", b"S"}:  # what a server answers with "ready": a query, or the end of a series
                while True:
                    answer = read_message(session)
                    client.sendall(answer)
                    if answer.startswith(READY):
                        break
                if answer.endswith(IDLE):
                    return
            message = read_message(client)


@contextmanager
def closing_on_failure(session: socket.socket) -> Generator[None]:
    """A client that vanished leaves a session in the middle of a transaction: it is of no use to another."""
    try:
        yield
    except BaseException:
        session.close()
        raise


def greet(client: socket.socket) -> None:
    while True:
        (length,) = struct.unpack(">i", read_exactly(client, 4))
        (code,) = struct.unpack(">i", read_exactly(client, length - 4)[:4])
        if code not in NEGOTIATIONS:
            break
        client.sendall(b"N")
    client.sendall(AUTHENTICATION_OK)
    for name, value in (("server_version", "15.0"), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on")):
        body = f"{name}\0{value}\0".encode()
        client.sendall(b"S" + struct.pack(">i", 4 + len(body)) + body)
    client.sendall(PROCESS_OF_NOBODY + READY_AND_IDLE)


def read_message(connection: socket.socket) -> bytes:
    head = read_exactly(connection, 5)
    return head + read_exactly(connection, struct.unpack(">i", head[1:])[0] - 4)


def read_exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError
        received += part
    return received


@contextmanager
def running_pooler(socket_folder: Path, database: str, *, is_per_transaction: bool) -> Generator[str]:
    """The URL that leads through it."""
    backend = socket_folder / ".s.PGSQL.5432"
    pooler = Pooler(backend=backend, database=database, is_per_transaction=is_per_transaction)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving: list[tuple[threading.Thread, socket.socket]] = []

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    thread = threading.Thread(target=pooler.serve, args=(client,), daemon=True)
                    thread.start()
                    serving.append((thread, client))

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield f"postgresql://trackplane@127.0.0.1:{listener.getsockname()[1]}/{database}?sslmode=disable"
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()
    for thread, client in serving:
        with suppress(OSError):  # it has closed it already
            client.shutdown(socket.SHUT_RDWR)
        thread.join(60)
    while pooler.idle:
        pooler.idle.pop().close()
