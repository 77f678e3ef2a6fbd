"""`trackplane-operator local` from outside: a file goes in, a server comes out, the data stays."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml
from cryptography.fernet import Fernet

from tests.support.client import free_port
from tests.support.golden import copy_golden
from tests.support.http import call_json
from tests.support.servers import a_resource

ROOT: Final = Path(__file__).resolve().parents[3]
EXAMPLE: Final = ROOT / "examples/trackingserver.yaml"
DEADLINE_SECONDS: Final = 90


def _command(file: Path, data: Path, *options: str, port: int | None = None) -> list[str]:
    chosen = free_port() if port is None else port
    command = (sys.executable, "-m", "tracking_operator", "local", "-f", str(file), "--data", str(data))
    return [*command, "--port", str(chosen), *options]


def _until_ready(file: Path, data: Path) -> tuple[int, str]:
    """The exit code and all that was said."""
    ended = subprocess.run(
        _command(file, data, "--until-ready"), capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    process: subprocess.Popen[str]
    url: str
    data: Path


@contextlib.contextmanager
def _serving(file: Path, data: Path) -> Generator[Served]:
    """A server that answers, and what runs it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(_command(file, data, port=port), stdout=subprocess.PIPE, text=True) as process:
        try:
            _await_answer(f"{url}/readyz")
            yield Served(process=process, url=url, data=data)
        finally:
            process.terminate()
            process.communicate(timeout=DEADLINE_SECONDS)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """For the tests that leave it serving."""
    with _serving(EXAMPLE, tmp_path_factory.mktemp("served")) as serving:
        yield serving


def _await_answer(url: str) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(URLError, OSError), urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} did not answer")


def _events(said: str) -> list[str]:
    """The reasons of what the operator told."""
    lines = (line.removeprefix("operator | ") for line in said.splitlines() if line.startswith("operator | "))
    return [line.partition(":")[0] for line in lines]


def _write(path: Path, *documents: object) -> Path:
    path.write_text(yaml.safe_dump_all(documents))
    return path


def test_the_first_start_builds_a_database_and_the_second_finds_it_current(tmp_path: Path) -> None:
    first, said_first = _until_ready(EXAMPLE, tmp_path / "data")
    assert first == 0, said_first
    assert {"PreflightPassed", "MigrationSucceeded", "RolloutCompleted", "Ready"} <= set(_events(said_first))
    assert "BackupStarted" not in _events(said_first)
    second, said_second = _until_ready(EXAMPLE, tmp_path / "data")
    assert second == 0, said_second
    assert {"PreflightPassed", "NothingToMigrate", "RolloutCompleted", "Ready"} <= set(_events(said_second))
    assert "MigrationStarted" not in _events(said_second)


def test_a_database_of_mlflow_is_backed_up_and_upgraded_with_all_its_rows(tmp_path: Path) -> None:
    database = tmp_path / "data/database/mlflow.db"
    database.parent.mkdir(parents=True)
    before = _rows(copy_golden(database))
    exit_code, said = _until_ready(EXAMPLE, tmp_path / "data")
    assert exit_code == 0, said
    order = ("Quiesced", "BackupCompleted", "BackupVerified", "MigrationStarted", "MigrationSucceeded", "Ready")
    assert [event for event in _events(said) if event in order] == list(order)
    (archive,) = (tmp_path / "data/backups").iterdir()
    assert archive.stat().st_size > 0
    assert {table: count for table, count in _rows(database).items() if table in before} == before


def test_it_serves_until_it_is_told_to_end_and_leaves_nothing_running(tmp_path: Path) -> None:
    with _serving(EXAMPLE, tmp_path / "data") as serving:
        with urlopen(f"{serving.url}/health", timeout=10) as answer:
            assert answer.read() == b"OK"
        children = _descendants(serving.process.pid)
        assert children
        serving.process.send_signal(signal.SIGINT)
        said, _ = serving.process.communicate(timeout=DEADLINE_SECONDS)
        assert serving.process.returncode == 0, said
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []


def test_when_it_is_killed_the_server_ends_too(tmp_path: Path) -> None:
    with _serving(EXAMPLE, tmp_path / "data") as serving:
        children = _descendants(serving.process.pid)
        serving.process.kill()
        serving.process.communicate(timeout=DEADLINE_SECONDS)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_server_that_is_killed_comes_again(served: Served) -> None:
    (server,) = _children(served.process.pid)
    os.kill(server, signal.SIGKILL)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while server in _children(served.process.pid) or not _children(served.process.pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    _await_answer(f"{served.url}/readyz")


def test_a_folder_is_used_by_one_at_a_time(served: Served) -> None:
    exit_code, said = _until_ready(EXAMPLE, served.data)
    assert exit_code == 1
    assert said == f"{served.data} is used by another `trackplane-operator local`\n"


def test_a_port_in_use_is_named(served: Served, tmp_path: Path) -> None:
    port = int(served.url.rpartition(":")[2])
    ended = subprocess.run(
        _command(EXAMPLE, tmp_path, port=port), capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert (ended.returncode, ended.stderr) == (1, f"port {port} is in use; choose another one with --port\n")


def test_a_secret_of_the_file_reaches_the_processes_and_no_command_line(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/elsewhere.db"
    key = Fernet.generate_key().decode()
    data = {"uri": uri, "key": key}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "all"}, "stringData": data}
    server = {"webhooks": {"secretEncryptionKeySecretRef": {"name": "all"}}}
    resource = a_resource(database={"uriSecretRef": {"name": "all"}}, server=server, namespace="default", replicas=None)
    with _serving(_write(tmp_path / "server.yaml", secret, resource), tmp_path / "data") as serving:
        lines = [Path(f"/proc/{child}/cmdline").read_text() for child in _descendants(serving.process.pid)]
        assert lines
        assert not [line for line in lines if "elsewhere.db" in line or key in line]
        webhook = {
            "name": "ours",
            "url": "https://1.1.1.1/hook",
            "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
            "secret": "shared",
        }
        assert call_json(serving.url, "POST", "/api/2.0/mlflow/webhooks", webhook).status == 200
    with contextlib.closing(sqlite3.connect(tmp_path / "elsewhere.db")) as database:
        (stored,) = database.execute("SELECT secret FROM webhooks").fetchone()
    assert Fernet(key).decrypt(stored.encode()) == b"shared"


def test_hooks_run_before_the_backup_with_what_they_were_given(tmp_path: Path) -> None:
    database = tmp_path / "data/database/mlflow.db"
    database.parent.mkdir(parents=True)
    copy_golden(database)
    hook = {
        "name": "announce",
        "image": "busybox",
        "command": ["sh", "-c", "echo $(WORD) from $WORD"],
        "env": [{"name": "WORD", "value": "greetings"}],
    }
    resource = a_resource(upgrade={"hooks": {"preMigration": [hook]}}, namespace="default")
    exit_code, said = _until_ready(_write(tmp_path / "server.yaml", resource), tmp_path / "data")
    assert exit_code == 0, said
    assert said.index("hook     | greetings from greetings") < said.index("BackupStarted")


def test_a_database_of_others_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "data/database/mlflow.db"
    database.parent.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE mine (number INTEGER)")
        connection.commit()
    before = database.read_bytes()
    exit_code, said = _until_ready(EXAMPLE, tmp_path / "data")
    assert exit_code == 1
    assert "Stalled: " in said
    assert database.read_bytes() == before


def test_a_folder_that_no_url_can_hold_is_refused(tmp_path: Path) -> None:
    exit_code, said = _until_ready(EXAMPLE, tmp_path / "what?")
    assert exit_code == 1
    assert "question mark" in said


@pytest.mark.parametrize("count", [0, 2])
def test_a_file_has_to_hold_one_tracking_server(tmp_path: Path, count: int) -> None:
    documents = [a_resource(name=f"server-{number}") for number in range(count)]
    exit_code, said = _until_ready(_write(tmp_path / "server.yaml", *documents), tmp_path / "data")
    assert exit_code == 1
    assert "TrackingServer" in said
    assert not (tmp_path / "data").exists()


def _rows(database: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        counts = {table: connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables}
    return {table: count for table, count in counts.items() if not table.startswith("sqlite_")}


def _children(process_id: int) -> list[int]:
    found = Path(f"/proc/{process_id}/task/{process_id}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def _descendants(process_id: int) -> list[int]:
    children = _children(process_id)
    return [*children, *(deeper for child in children for deeper in _descendants(child))]
