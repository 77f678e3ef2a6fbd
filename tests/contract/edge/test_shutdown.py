"""A server that is told to stop, or loses a worker, while many write to it: what was acknowledged is there."""

import http.client
import os
import signal
import socket
import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from tests.support.children import eventually
from tests.support.http import Reply, call, call_json, connection_to, reply_on
from tests.support.processes import children_of
from tests.support.server import LiveServer, live_server

LOG = "/api/2.0/mlflow/runs/log-metric"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
QUIET = {"MLFLOW_LOGGING_LEVEL": "WARNING", "MLFLOW_WORKERS": "2"}


@dataclass(kw_only=True, slots=True)
class Writer:
    """Logs one step after the other on connections that it keeps, until nobody listens any more."""

    url: str
    run_id: str
    key: str
    acknowledged: list[int] = field(default_factory=list[int])
    refused: list[Reply] = field(default_factory=list[Reply])
    closing: int = 0
    """Answers that told it not to use the connection again."""
    is_over: bool = False

    def run(self) -> None:
        step = 0
        while not self.is_over:
            with (
                suppress(http.client.HTTPException, ConnectionResetError, BrokenPipeError),
                connection_to(self.url) as kept,
            ):
                while not self.is_over:
                    try:
                        reply = self._log(kept, step)
                    except ConnectionRefusedError:
                        return
                    self._note(reply, step)
                    step += 1
                    if reply.headers.get("connection") == "close":
                        break
            step += 1  # what got no answer may be there or not

    def _log(self, kept: http.client.HTTPConnection, step: int) -> Reply:
        body = {"run_id": self.run_id, "key": self.key, "value": 1.0, "timestamp": 1, "step": step}
        kept.request("POST", LOG, msgspec.json.encode(body), {"Content-Type": "application/json"})
        return reply_on(kept)

    def _note(self, reply: Reply, step: int) -> None:
        if reply.status == 200:
            self.acknowledged.append(step)
        else:
            self.refused.append(reply)
        self.closing += reply.headers.get("connection") == "close"


@contextmanager
def writing(server: LiveServer, count: int) -> Generator[list[Writer]]:
    """That many writers, when each of them has written something. They are over at the end."""
    created = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})
    run_id = created.json["run"]["info"]["run_id"]
    writers = [Writer(url=server.url, run_id=run_id, key=f"k{number}") for number in range(count)]
    threads = [threading.Thread(target=writer.run) for writer in writers]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: all(len(writer.acknowledged) > 5 for writer in writers))
        yield writers
    finally:
        for writer in writers:
            writer.is_over = True
        for thread in threads:
            thread.join()


def steps_in(database: Path, key: str) -> set[int]:
    with closing(sqlite3.connect(database)) as connection:
        return {step for (step,) in connection.execute("SELECT step FROM metrics WHERE key = ?", (key,))}


def lost(database: Path, writers: list[Writer]) -> dict[str, set[int]]:
    return {
        writer.key: missing
        for writer in writers
        if (missing := set(writer.acknowledged) - steps_in(database, writer.key))
    }


def test_told_to_stop_it_finishes_what_it_has_begun_and_refuses_the_rest(tmp_path: Path) -> None:
    with live_server(tmp_path, environ=QUIET) as server, writing(server, 6) as writers:
        assert server.stop() == 0
    assert lost(tmp_path / "mlflow.db", writers) == {}
    assert [reply for writer in writers for reply in writer.refused if reply.status != 503] == []
    assert [line for line in server.log.read_text().splitlines() if '"level":"error"' in line] == []


def test_a_kept_connection_is_told_that_it_ends(tmp_path: Path) -> None:
    """The answer to a request that was under way when the order came."""
    with live_server(tmp_path, environ={"MLFLOW_WORKERS": "1"}) as server, slow_upload(server) as upload:
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not is_listening(server))
        upload.sendall(b"x" * 10)
        assert b"connection: close" in upload.recv(2000)
        assert server.process.wait(30) == 0
    assert (tmp_path / "mlartifacts" / "slow").stat().st_size == 10


def test_told_twice_it_stops_at_once(tmp_path: Path) -> None:
    """A body that never comes would otherwise hold it for more than twenty seconds."""
    with live_server(tmp_path, environ=QUIET) as server, slow_upload(server):
        server.process.send_signal(signal.SIGTERM)
        eventually(lambda: not is_listening(server))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(15) == 0
    assert not list((tmp_path / "mlartifacts").rglob("slow"))


def test_a_worker_that_is_killed_is_replaced_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with live_server(tmp_path, environ=QUIET) as server, writing(server, 6) as writers:
        for _ in range(3):
            victim = server.workers()[0]
            os.kill(victim, signal.SIGKILL)
            eventually(partial(is_replaced, server, victim))
            more = [len(writer.acknowledged) + 3 for writer in writers]
            eventually(partial(have_written, writers, more))
        assert call(server.url, "GET", "/readyz").status == 200
    assert lost(tmp_path / "mlflow.db", writers) == {}


def is_replaced(server: LiveServer, victim: int) -> bool:
    return len({*children_of(server.process.pid)} - {victim}) == 2


def have_written(writers: list[Writer], counts: list[int]) -> bool:
    return all(len(writer.acknowledged) > count for writer, count in zip(writers, counts, strict=True))


@contextmanager
def slow_upload(server: LiveServer) -> Generator[socket.socket]:
    """A request whose body is still to come, and which a worker has begun to answer."""
    head = f"PUT {FILES}/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as opened:
        opened.sendall(head.encode())
        assert opened.recv(100).startswith(b"HTTP/1.1 100")
        yield opened


def is_listening(server: LiveServer) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), timeout=10).close()
    except ConnectionError:
        return False
    return True
