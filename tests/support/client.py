"""Programs in the environment of the mlflow client: its scripts, and MLflow's own server to compare with."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.environments import MAIN_CLIENT, client_python
from tests.support.http import call

START_SECONDS: Final = 120
SCRIPT_SECONDS: Final = 180
STOP_SECONDS: Final = 15


def run_script(
    script: Path, *arguments: str, home: Path, environ: Mapping[str, str] | None = None, client: str = MAIN_CLIENT
) -> str:
    """What the script printed. An AssertionError with all its output when it failed."""
    finished = subprocess.run(
        [str(client_python(client)), str(script), *arguments],
        env={**environment(home), **(environ or {})},
        cwd=home,
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    if finished.returncode:
        raise AssertionError(f"{script.name} ended with {finished.returncode}\n{finished.stdout}\n{finished.stderr}")
    return finished.stdout


def last_line(output: str) -> Any:
    """The JSON in the last line: mlflow prints lines of its own before it."""
    return json.loads(output.strip().rpartition("\n")[2])


def environment(home: Path) -> dict[str, str]:
    """The environment of this process without its settings for MLflow, and with a home folder of its own.

    Bytecode is kept: without it the client takes three times as long to start, and MLflow's server compiles a module in
    each search (it imports one that is missing a package, again and again).
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MLFLOW_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    quiet = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    return kept | quiet | {"HOME": str(home)}


@contextlib.contextmanager
def mlflow_server(folder: Path, environ: Mapping[str, str] | None = None) -> Generator[str]:
    """The URL of MLflow's own server with SQLite and a local folder, one worker, from when it answers."""
    port = free_port()
    command = [
        str(client_python().parent / "mlflow"),
        "server",
        f"--backend-store-uri=sqlite:///{folder / 'mlflow.db'}",
        f"--artifacts-destination={folder / 'artifacts'}",
        f"--port={port}",
        "--workers=1",
    ]
    url = f"http://127.0.0.1:{port}"
    log = folder / "server.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env={**environment(folder), **(environ or {})},
            stdout=output,
            stderr=output,
            start_new_session=True,
        ) as process,
    ):
        try:
            wait_until_healthy(url, process, log)
            yield url
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until_healthy(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_healthy(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"MLflow's server does not answer:\n{log.read_text()}")
        time.sleep(0.1)


def is_healthy(url: str) -> bool:
    try:
        return call(url, "GET", "/health").status == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
