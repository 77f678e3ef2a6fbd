"""A database that restarts under a running server: 503 with Retry-After while it is down, and nothing but answers as
soon as it is back, with the same pool, whose connections are all dead."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.databases import running_postgresql
from tests.support.http import Reply, call, call_json
from tests.support.mariadb import running_mariadb, start_server
from tests.support.server import LiveServer, live_server

WRITERS = 4
KEEPS_COMMITS = ("--innodb-flush-log-at-trx-commit=2",)
"""They end at once, and other tests need no more than speed of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    url: str
    stop: Callable[[], None]
    start: Callable[[], None]


@contextmanager
def a_postgresql() -> Generator[Engine]:
    with running_postgresql("synchronous_commit=on") as server:
        url = server.create_database("restarted")
        yield Engine(url=url, stop=server.postmaster.stop, start=server.postmaster.start)


@contextmanager
def a_mariadb() -> Generator[Engine]:
    with running_mariadb(*KEEPS_COMMITS) as server:
        processes = [server.process]

        def stop() -> None:
            processes[-1].kill()
            processes[-1].wait(timeout=30)

        def start() -> None:
            processes.append(start_server(server.folder, KEEPS_COMMITS).process)

        try:
            yield Engine(url=server.create_database("restarted"), stop=stop, start=start)
        finally:
            stop()


@pytest.fixture(params=[a_postgresql, a_mariadb], ids=["postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with request.param() as running:
        yield running


def read(server: LiveServer) -> Reply:
    return call(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")


def write(server: LiveServer, name: str) -> Reply:
    return call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": name})


def test_nobody_sees_a_dead_connection(engine: Engine, tmp_path: Path) -> None:
    with live_server(tmp_path, environ={"MLFLOW_BACKEND_STORE_URI": engine.url}) as server:
        fill_the_pool(server)
        engine.stop()
        for reply in (read(server), write(server, "down")):
            assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
            assert int(reply.headers["retry-after"]) >= 1
        engine.start()
        assert [reply.status for reply in at_once(lambda number: write(server, f"after {number}"))] == [200] * WRITERS
        fill_the_pool(server)
        engine.stop()
        engine.start()
        replies = at_once(lambda number: write(server, f"unseen {number}") if number % 2 else read(server))
        assert [reply.status for reply in replies] == [200] * WRITERS
        assert server.stop() == 0


def fill_the_pool(server: LiveServer) -> None:
    assert {reply.status for reply in at_once(lambda _: read(server))} == {200}


def at_once(ask: Callable[[int], Reply]) -> list[Reply]:
    """As many at the same time as the pool has connections for requests."""
    gate = threading.Barrier(WRITERS)
    replies: list[Reply] = []

    def run(number: int) -> None:
        gate.wait()
        replies.append(ask(number))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies
