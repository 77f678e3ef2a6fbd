"""The servers that are compared, each with two processes that answer: ours, and MLflow's own in two set-ups."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.client import environment, free_port, is_healthy
from tests.support.environments import client_python

OURS: Final = "trackplane"
MLFLOW: Final = "mlflow"
GTHREAD: Final = "gthread"
TITLES: Final[Mapping[str, str]] = {
    OURS: "Trackplane",
    MLFLOW: "MLflow",
    GTHREAD: "MLflow on gthread",
}
WORKERS: Final = 2
_START_SECONDS: Final = 180.0
_STOP_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a server lives: nobody else's folder, and nobody else's database."""

    server: str
    folder: Path
    database_url: str

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def environment(self) -> dict[str, str]:
        """As it comes: what our tests switch off in MLflow's server to save time is on."""
        environ = environment(self.folder)
        environ.pop("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", None)
        inherited = {name: value for name, value in environ.items() if not name.startswith("TRACKPLANE_")}
        return {**inherited, "TMPDIR": str(self.temporary)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    place: Place
    port: int
    pid: int
    start_seconds: float
    """From the start of the process to the first 200 on /health."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def program_of(place: Place) -> Sequence[str]:
    """The command line of the product, which has the same commands and options in both."""
    if place.server in {MLFLOW, GTHREAD}:
        return [str(client_python().parent / "mlflow")]
    return [sys.executable, "-m", "tracking_server"]


def _command(place: Place, port: int) -> Sequence[str]:
    return [
        *program_of(place),
        "server",
        f"--backend-store-uri={place.database_url}",
        f"--artifacts-destination={place.artifacts}",
        f"--port={port}",
        f"--workers={WORKERS}",
        *(["--gunicorn-opts=-k gthread --threads 8 --timeout 300"] if place.server == GTHREAD else []),
    ]


@contextmanager
def running(place: Place) -> Generator[Running]:
    """From when it answers."""
    for folder in (place.artifacts, place.temporary):
        folder.mkdir(exist_ok=True)
    port = free_port()
    log = place.folder / "server.log"
    began = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(place, port),
            cwd=place.folder,
            env=place.environment(),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield Running(place=place, port=port, pid=process.pid, start_seconds=time.perf_counter() - began)
    finally:
        _end(process)


def _wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the server does not answer:\n{log.read_text()[-5000:]}")
        time.sleep(0.01)


def _end(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
