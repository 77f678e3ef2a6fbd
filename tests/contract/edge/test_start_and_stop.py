"""How a server starts, what it refuses to start with, and how it ends."""

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from tests.support.children import eventually
from tests.support.http import call, call_json, connection_to, reply_on
from tests.support.server import LiveServer, live_server

FILES = "/api/2.0/mlflow-artifacts/artifacts"


def refused(folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit code and the standard error of a server that does not start."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "TRACKPLANE_"))}
    finished = subprocess.run(
        [sys.executable, "-m", "tracking_server", "server", "--port", "0", *arguments],
        cwd=folder,
        env={**inherited, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return finished.returncode, finished.stderr


def test_the_first_start_makes_the_database_and_the_second_keeps_it(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        created = call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": "kept"})
        assert server.stop() == 0
    assert (tmp_path / "mlflow.db").exists()
    with live_server(tmp_path, "--no-create-schema") as server:
        path = f"/api/2.0/mlflow/experiments/get?experiment_id={created.json['experiment_id']}"
        assert call(server.url, "GET", path).json["experiment"]["name"] == "kept"


def test_several_workers_share_one_port_and_one_that_dies_is_replaced(tmp_path: Path) -> None:
    with live_server(tmp_path, "--workers", "3") as server:
        assert call(server.url, "GET", "/health").status == 200
        for number in range(20):
            assert (
                call_json(
                    server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": f"experiment {number}"}
                ).status
                == 200
            )
        for child in server.workers():
            os.kill(child, signal.SIGKILL)
        assert call(server.url, "GET", "/readyz").status == 200


def test_an_empty_database_is_refused_when_it_may_not_be_made(tmp_path: Path) -> None:
    code, told = refused(tmp_path, environ={"TRACKPLANE_CREATE_SCHEMA": "false"})
    assert code == 13
    assert "The database is empty" in told
    assert "Traceback" not in told


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "other.db")
    database.execute("CREATE TABLE invoices (id INTEGER)")
    database.commit()
    database.close()
    code, told = refused(tmp_path, environ={"MLFLOW_BACKEND_STORE_URI": "sqlite:///other.db"})
    assert code == 13
    assert "not a database that this release can use" in told
    with sqlite3.connect(tmp_path / "other.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoices",)]
    connection.close()


def test_all_faults_of_the_settings_are_told_at_once(tmp_path: Path) -> None:
    code, told = refused(
        tmp_path,
        "--app-name",
        "basic-auth",
        "--artifacts-destination",
        "./files",
        environ={"MLFLOW_PORT": "seventy", "MLFLOW_WORKERS": "0", "MLFLOW_ENABLE_WORKSPACES": "true"},
    )
    assert code == 10
    for part in ("--app-name asks for users and permissions", "MLFLOW_WORKERS", "MLFLOW_ENABLE_WORKSPACES"):
        assert part in told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--artifacts-destination", "hdfs://host/path"], "is not a place for artifacts"),
        (["--gunicorn-opts", "--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_work_is_refused_at_start(tmp_path: Path, arguments: list[str], part: str) -> None:
    code, told = refused(tmp_path, *arguments)
    assert code == 10
    assert part in told
    assert "Traceback" not in told


def test_an_unknown_option_is_a_usage_error(tmp_path: Path) -> None:
    assert refused(tmp_path, "--colour", "blue")[0] == 2


def test_a_password_never_reaches_the_output(tmp_path: Path) -> None:
    environ = {
        "MLFLOW_BACKEND_STORE_URI": "postgresql://user:hunter2@127.0.0.1:1/none",
        "TRACKPLANE_DATABASE_WAIT_SECONDS": "1",
    }
    code, told = refused(tmp_path, environ=environ)
    assert code == 11
    assert "hunter2" not in told


def test_what_is_under_way_is_finished_when_the_server_is_told_to_stop(tmp_path: Path) -> None:
    with live_server(tmp_path, "--workers", "2") as server:
        answers: list[int] = []

        def upload() -> None:
            with connection_to(server.url) as connection:
                connection.putrequest("PUT", f"{FILES}/slow/file")
                connection.putheader("Content-Length", "3000000")
                connection.endheaders()
                for _ in range(30):
                    connection.send(b"x" * 100_000)
                    time.sleep(0.05)
                answers.append(reply_on(connection).status)

        thread = threading.Thread(target=upload)
        thread.start()
        time.sleep(0.4)
        assert server.stop() == 0
        thread.join()
        assert answers == [200]
        assert (tmp_path / "mlartifacts" / "slow" / "file").stat().st_size == 3_000_000
        with pytest.raises(ConnectionRefusedError):
            call(server.url, "GET", "/health")


def test_ctrl_c_ends_it_quietly(tmp_path: Path) -> None:
    with live_server(tmp_path, "--workers", "2", start_new_session=True) as server:
        assert call(server.url, "GET", "/readyz").status == 200
        time.sleep(1)  # until both workers are up
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(20) == 0
    assert [line for line in server.log.read_text().splitlines() if '"level":"info"' not in line] == []


def test_writes_that_were_answered_survive_a_kill(tmp_path: Path) -> None:
    with live_server(tmp_path, "--workers", "2") as server:
        written: list[str] = []
        for number in range(10):
            name = f"experiment {number}"
            assert call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": name}).status == 200
            assert call(server.url, "PUT", f"{FILES}/kept/{number}", b"x" * 100_000).status == 200
            written.append(name)
        for pid in [server.process.pid, *server.workers()]:
            os.kill(pid, signal.SIGKILL)
        server.process.wait()
    with live_server(tmp_path) as server:
        for number, name in enumerate(written):
            path = f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={name.replace(' ', '%20')}"
            assert call(server.url, "GET", path).status == 200
            assert len(call(server.url, "GET", f"{FILES}/kept/{number}").body) == 100_000


def test_nothing_is_written_outside_the_database_and_the_artifacts(server: LiveServer, folder: Path) -> None:
    assert call(server.url, "PUT", f"{FILES}/0/file", b"x" * 2_000_000).status == 200
    names = {path.name for path in folder.iterdir() if not path.name.startswith("mlflow.db")}
    assert names == {"mlartifacts", "server.log", "tmp"}
    assert list((folder / "tmp").iterdir()) == []


def test_files_of_the_server_are_closed_to_strangers(server: LiveServer, folder: Path) -> None:
    assert call(server.url, "PUT", f"{FILES}/closed/to/strangers", b"x").status == 200
    made = folder / "mlartifacts" / "closed"
    for path in (made, *made.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o007 == 0


def test_small_answers_are_not_held_back(server: LiveServer) -> None:
    """Without TCP_NODELAY each of these would take about 40 ms."""
    with connection_to(server.url) as connection:
        connection.request("GET", "/health")
        reply_on(connection)
        if connection.sock is None:
            raise AssertionError("the connection is kept")
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        seconds: list[float] = []
        for _ in range(50):
            started = time.perf_counter()
            connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
            assert reply_on(connection).status == 200
            seconds.append(time.perf_counter() - started)
        assert sorted(seconds)[10] < 0.030  # the machine may be busy with something else for the most of them


def test_the_log_is_json_with_a_line_for_each_request_but_no_probe(server: LiveServer) -> None:
    ours = {"X-Request-Id": "probing"}
    for path in ("/health", "/livez", "/readyz", "/version"):
        assert call(server.url, "GET", path, headers=ours).status == 200
        assert call(server.url, "PUT", path, headers=ours).status == 405
    call(server.url, "GET", "/api/2.0/mlflow/runs/get?run_id=secret-thing", headers={"X-Request-Id": "mine"})
    eventually(lambda: '"request_id":"mine"' in server.log.read_text())  # it is written behind the answer
    lines = [msgspec.json.decode(line) for line in server.log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "mine"]
    assert line["message"] == "request"
    probes = [line for line in lines if line.get("request_id") == "probing"]
    assert [line["status"] for line in probes] == [405] * 4
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/2.0/mlflow/runs/get", 404)
    assert line["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert "secret-thing" not in server.log.read_text()


def test_a_database_that_goes_away_makes_the_server_unready_but_alive(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        assert call(server.url, "GET", "/readyz").status == 200
        for name in ("mlflow.db", "mlflow.db-wal", "mlflow.db-shm"):
            (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / "mlflow.db").mkdir()
        assert call(server.url, "GET", "/livez").status == 200
        assert call(server.url, "GET", "/health").status == 200
