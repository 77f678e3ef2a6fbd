"""One pod as one local process: started, watched, restarted when its pod says so, ended when the pod is deleted."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.outside import pod_status
from tracking_operator.outside.containers import CannotStart, Invocation, SecretData, invocation
from tracking_operator.resource.kinds import SECRET, Manifest, Ref, ref_of
from tracking_operator.resource.names import COMPONENT_LABEL

LONGEST_REPORT: Final = 4096
LONGEST_LINE: Final = 1 << 20
FIRST_RESTART_SECONDS: Final = 1.0
LONGEST_RESTART_SECONDS: Final = 30.0
CALM_SECONDS: Final = 60.0
"""A process that ran so long is started again after a short wait."""
START_RETRY_SECONDS: Final = 2.0
UNREADY_POLL_SECONDS: Final = 0.2
PR_SET_PDEATHSIG: Final = 1

_LIBC: Final = ctypes.CDLL(None)

Say = Callable[[str, str], None]
"""Tells the person a line: who says it (a component), and what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What the pods run on."""

    cluster: MemoryCluster
    environ: Mapping[str, str]
    folder: Path
    """For the reports of running processes."""
    address: str
    """Where the processes listen."""
    say: Say
    now: Callable[[], datetime]


class PodProcess:
    def __init__(self, pod: Manifest, machine: Machine) -> None:
        self._pod = pod
        self._ref = ref_of(pod)
        self._container: Manifest = pod["spec"]["containers"][0]
        self._machine = machine
        self._is_ending = asyncio.Event()
        self._restarts = 0

    def end(self) -> None:
        """Asks the process to end; `run` returns when it has."""
        self._is_ending.set()

    async def run(self) -> None:
        restart_seconds = FIRST_RESTART_SECONDS
        while not self._is_ending.is_set():
            started_at = self._machine.now()
            exit_code = await self._try_once(started_at)
            if exit_code is None:
                await self._pause(START_RETRY_SECONDS)
            elif self._pod["spec"].get("restartPolicy") == "Never":
                report = _read_report(self._report_file)
                ended_at = self._machine.now()
                self._report(pod_status.terminated(self._pod, started_at, ended_at, exit_code, report))
                return
            elif not self._is_ending.is_set():
                if (self._machine.now() - started_at).total_seconds() >= CALM_SECONDS:
                    restart_seconds = FIRST_RESTART_SECONDS
                self._restarts += 1
                message = f"it ended with exit code {exit_code}; it is started again in {restart_seconds:.0f} s"
                self._say(message)
                self._report(pod_status.waiting(self._pod, "CrashLoopBackOff", message, restarts=self._restarts))
                await self._pause(restart_seconds)
                restart_seconds = min(restart_seconds * 2, LONGEST_RESTART_SECONDS)

    async def _try_once(self, started_at: datetime) -> int | None:
        """The exit code of the process; None when it could not be started."""
        try:
            call = invocation(self._pod, self._secret_data, self._machine.environ, str(self._report_file))
            process, output = await _start(call, self._report_file)
        except CannotStart as problem:
            status = pod_status.waiting(self._pod, problem.reason, str(problem), restarts=self._restarts)
            if self._report(status):
                self._say(str(problem))
            return None
        self._report(self._running(started_at, is_ready="readinessProbe" not in self._container))
        return await self._attend(process, output, started_at)

    async def _attend(self, process: Process, output: asyncio.StreamReader, started_at: datetime) -> int:
        """Passes on what the process says, asks whether it is ready, and ends it when that is wished."""
        listening = asyncio.create_task(self._pass_on(output))
        probing = asyncio.create_task(self._probe(started_at))
        exiting = asyncio.create_task(process.wait())
        ending = asyncio.create_task(self._is_ending.wait())
        await asyncio.wait({exiting, ending}, return_when=asyncio.FIRST_COMPLETED)
        probing.cancel()
        ending.cancel()
        if not exiting.done():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            grace = self._pod["spec"].get("terminationGracePeriodSeconds", 30)
            await asyncio.wait({exiting}, timeout=grace)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        exit_code = await exiting
        await listening
        return exit_code if exit_code >= 0 else 128 - exit_code

    async def _pass_on(self, output: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await output.readline()
            except ValueError:
                continue  # longer than anybody would read
            if not line:
                return
            self._say(line.decode(errors="replace").rstrip())

    async def _probe(self, started_at: datetime) -> None:
        probe: Manifest | None = self._container.get("readinessProbe")
        if probe is None:
            return
        path, port = probe["httpGet"]["path"], _port(self._container, probe["httpGet"]["port"])
        failures, is_ready = 0, False
        while True:
            answered = await _answers(self._machine.address, port, path, probe["timeoutSeconds"])
            failures = 0 if answered else failures + 1
            if answered or failures >= probe["failureThreshold"]:
                is_ready = answered
            self._report(self._running(started_at, is_ready=is_ready))
            await asyncio.sleep(probe["periodSeconds"] if is_ready else UNREADY_POLL_SECONDS)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_ending.wait()

    @property
    def _report_file(self) -> Path:
        return self._machine.folder / f"{self._ref.name}.json"

    def _running(self, started_at: datetime, *, is_ready: bool) -> Manifest:
        return pod_status.running(self._pod, started_at, is_ready=is_ready, restarts=self._restarts)

    def _report(self, status: Manifest) -> bool:
        """Returns whether it was news."""
        found = self._machine.cluster.find(self._ref)
        if found is None or found.get("status") == status:
            return False
        self._machine.cluster.set_status(self._ref, status)
        return True

    def _say(self, line: str) -> None:
        self._machine.say(component_of(self._pod), line)

    @property
    def _secret_data(self) -> SecretData:
        def find(name: str) -> Mapping[str, str] | None:
            ref = Ref(kind=SECRET, namespace=self._ref.namespace, name=name)
            secret = self._machine.cluster.find(ref)
            return None if secret is None else secret.get("data", {})

        return find


def component_of(manifest: Manifest) -> str:
    """Who a line is from."""
    component: str = manifest["metadata"]["labels"].get(COMPONENT_LABEL, manifest["metadata"]["name"])
    return component


async def _start(call: Invocation, report_file: Path) -> tuple[Process, asyncio.StreamReader]:
    """In a session of its own, so that Ctrl-C reaches it through us only, and in order.

    The pipe is ours and not asyncio's, which would not notice the end of a process while a child of it holds the pipe.
    """
    _prepare(call, report_file)
    ours, theirs = os.pipe()
    output = asyncio.StreamReader(limit=LONGEST_LINE)
    protocol = asyncio.StreamReaderProtocol(output)
    try:
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(ours, "rb", buffering=0))
        process = await asyncio.create_subprocess_exec(
            *call.argv,
            env=call.env,
            stdout=theirs,
            stderr=STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_us if sys.platform == "linux" else None,
        )
    except OSError as error:
        raise CannotStart("CreateContainerError", f"{call.argv[0]}: {error.strerror}") from error
    finally:
        os.close(theirs)
    return process, output


def _end_with_us() -> None:
    """Runs in the new process: when this one is killed, the kernel ends that one too."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _prepare(call: Invocation, report_file: Path) -> None:
    for folder in call.folders:
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in call.files.items():
        _write_private(Path(name), content)
    report_file.unlink(missing_ok=True)


def _write_private(file: Path, content: bytes) -> None:
    """For this user alone, from the first byte on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)


def _read_report(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            report = stream.read(LONGEST_REPORT).decode(errors="replace")
    except FileNotFoundError:
        return ""
    file.unlink()
    return report


def _port(container: Manifest, name: str) -> int:
    port: int = next(port["containerPort"] for port in container["ports"] if port["name"] == name)
    return port


async def _answers(host: str, port: int, path: str, timeout_seconds: float) -> bool:
    """Whether a GET is answered with 2xx."""
    try:
        async with asyncio.timeout(timeout_seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                status = await reader.readline()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return status.split(b" ")[1:2] == [b"200"]
