"""A database that goes away under a running server, and comes back."""

import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.support.databases import PostgreSql
from tests.support.http import Reply, call, call_json
from tests.support.server import LiveServer, live_server

DEADLINE_SECONDS = 30.0
NAME = "database_of_the_test"


def administer(postgresql: PostgreSql, *statements: str) -> None:
    with psycopg.connect(
        f"host={postgresql.socket_folder} user=trackplane dbname=postgres", autocommit=True
    ) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def until_ready(server: LiveServer) -> Reply:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (reply := call(server.url, "GET", "/readyz")).status != 200:
        assert time.monotonic() < deadline, reply
        time.sleep(0.1)
    return reply


def test_the_server_says_so_lives_on_and_recovers(postgresql: PostgreSql, tmp_path: Path) -> None:
    url = postgresql.create_database(NAME)
    with live_server(tmp_path, environ={"MLFLOW_BACKEND_STORE_URI": url}) as server:
        until_ready(server)
        administer(
            postgresql,
            f"ALTER DATABASE {NAME} WITH ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{NAME}'",
        )
        for path in ("/readyz", "/api/2.0/mlflow/experiments/get?experiment_id=0"):
            reply = call(server.url, "GET", path)
            assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
            assert int(reply.headers["retry-after"]) >= 1
            assert NAME not in reply.json["message"]
        for path in ("/health", "/livez", "/version"):
            assert call(server.url, "GET", path).status == 200
        artifact = "/api/2.0/mlflow-artifacts/artifacts/0/file"
        assert call(server.url, "PUT", artifact, b"needs no database").status == 200
        administer(postgresql, f"ALTER DATABASE {NAME} WITH ALLOW_CONNECTIONS true")
        until_ready(server)
        created = call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": "after"})
        assert created.status == 200
        assert server.stop() == 0


def test_a_server_whose_database_does_not_answer_does_not_start(postgresql: PostgreSql, tmp_path: Path) -> None:
    environ = {"MLFLOW_BACKEND_STORE_URI": postgresql.url("nowhere"), "TRACKPLANE_DATABASE_WAIT_SECONDS": "1"}
    with ExitStack() as stack, pytest.raises(AssertionError, match="the server ended with 11") as ended:
        stack.enter_context(live_server(tmp_path, environ=environ))
    told = str(ended.value)
    assert told.count("the database does not answer yet") >= 3
    assert 'database "nowhere" does not exist' in told  # in the driver's own words
    assert "Traceback" not in told
