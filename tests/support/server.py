"""A tracking server of its own for a test: the real command in a process, on a free port."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.children import eventually
from tests.support.processes import children_of

START_SECONDS = 60.0
STOP_SECONDS = 40.0

_ANNOUNCEMENT = "Trackplane is serving at "


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveServer:
    """`log` is its standard error: JSON, a line for each request."""

    url: str
    process: "subprocess.Popen[str]"
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def workers(self) -> list[int]:
        """Its server processes. The first is there a moment after the port."""
        eventually(lambda: children_of(self.process.pid) != [])
        return children_of(self.process.pid)

    def stop(self, with_signal: int = signal.SIGTERM) -> int:
        """The exit code."""
        self.process.send_signal(with_signal)
        return self.process.wait(STOP_SECONDS)


@contextmanager
def live_server(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None, start_new_session: bool = False
) -> Generator[LiveServer]:
    """`trackplane server`, working in `folder`, with one server process unless told otherwise.

    Nothing of the caller's environment that starts with MLFLOW_ or TRACKPLANE_ reaches it.
    """
    log = folder / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tracking_server", "server", "--port", "0", *arguments],
            cwd=folder,
            env=_environment(environ or {}),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=start_new_session,
        )
    try:
        yield LiveServer(url=_announced_url(process, log), process=process, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "TRACKPLANE_"))}
    return {**inherited, "MLFLOW_WORKERS": "1", **environ}


def _announced_url(process: "subprocess.Popen[str]", log: Path) -> str:
    """The port is bound when the server says so; a request waits until it can be answered."""
    if process.stdout is None:
        raise AssertionError("the server's standard output is a pipe")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        ready, _, _ = select.select([process.stdout], [], [], 0.2)
        if ready:
            line = process.stdout.readline()
            if line.startswith(_ANNOUNCEMENT):
                return line.removeprefix(_ANNOUNCEMENT).strip()
            if not line:
                process.wait(STOP_SECONDS)
                raise AssertionError(f"the server ended with {process.returncode}:\n{log.read_text()}")
    raise AssertionError(f"the server did not start within {START_SECONDS:.0f} seconds:\n{log.read_text()}")
