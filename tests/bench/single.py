"""What is measured once a round, not as requests a second: starting, resting, a real client, gc, one huge upload."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import seeds
from tests.bench.contenders import Place, Running, program_of
from tests.bench.load import Load, each_of, put_under_load
from tests.bench.processes import pss_bytes, tree
from tests.bench.seeds import Scale
from tests.bench.workloads import upload
from tests.support.client import environment
from tests.support.environments import ROOT, client_python

_CLIENT_SCRIPT: Final = ROOT / "tests" / "contract" / "client" / "scripts" / "timed_runs.py"
_CLIENTS: Final = 4
_REST_SECONDS: Final = 3.0
_MIB: Final = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Single:
    """Less is better. `measure` gives one figure for each row that it fills."""

    name: str
    rows: Sequence["Figure"]
    measure: Callable[[Running, Scale], Sequence[float]]
    rounds: int
    starts_anew: bool = False
    """On a server that has just started, and that nobody else uses."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    title: str
    unit: str
    bar: float | None = None
    """How many times less than MLflow's default server."""
    most: float | None = None
    """What it should be at most, in its unit."""


def _start_and_rest(server: Running, _scale: Scale) -> Sequence[float]:
    time.sleep(_REST_SECONDS)
    return server.start_seconds, pss_bytes(server.pid) / _MIB


def _real_clients(server: Running, scale: Scale) -> Sequence[float]:
    """From when all clients have loaded mlflow until the last has ended."""
    runs = max(1, 20 // _CLIENTS if scale.runs > 1000 else 1)
    command = [str(client_python()), str(_CLIENT_SCRIPT), server.url, str(runs)]
    with contextlib.ExitStack() as held:
        clients = [held.enter_context(_client(command, server.place)) for _ in range(_CLIENTS)]
        for client in clients:
            _line_of(client, "ready")
        began = time.perf_counter()
        for client in clients:
            client.communicate("go\n")
        seconds = time.perf_counter() - began
    assert not any(client.returncode for client in clients), "a client failed"
    return (seconds,)


@contextlib.contextmanager
def _client(command: Sequence[str], place: Place) -> Generator["subprocess.Popen[str]"]:
    client = subprocess.Popen(
        command,
        cwd=place.folder,
        env=environment(place.folder),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield client
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()


def _line_of(client: "subprocess.Popen[str]", wanted: str) -> None:
    assert client.stdout is not None
    for line in client.stdout:
        if line.strip() == wanted:
            return
    raise AssertionError(f"a client ended with {client.wait()}")


def _collect(server: Running, scale: Scale) -> Sequence[float]:
    """Runs with 48 rows and one file each. The same options for both."""
    place = server.place
    for number in range(scale.deleted_runs):
        folder = place.artifacts / str(seeds.DELETED) / seeds.deleted_run(number) / "artifacts"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.txt").write_bytes(b"x")
    command = [
        *program_of(place),
        "gc",
        f"--backend-store-uri={place.database_url}",
        f"--artifacts-destination={place.artifacts}",
    ]
    environ = {**place.environment(), "MLFLOW_TRACKING_URI": server.url}
    began = time.perf_counter()
    finished = subprocess.run(command, cwd=place.folder, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    left = list((place.artifacts / str(seeds.DELETED)).glob("*/artifacts/model.txt"))
    assert not finished.returncode, f"gc failed: {finished.stderr[-2000:]}"
    assert not left, f"gc left {len(left)} files"
    return (seconds,)


def _upload_huge(server: Running, scale: Scale) -> Sequence[float]:
    """The most memory of the server's processes above that at rest, and the most of its temporary files."""
    at_rest = pss_bytes(server.pid)
    extra: list[int] = [0]
    temporary: list[int] = [0]

    def look() -> None:
        extra.append(pss_bytes(server.pid) - at_rest)
        temporary.append(_temporary_bytes(server))

    load = Load(
        converse=lambda _: each_of([upload("huge.bin", scale.upload_bytes)]),
        connections=1,
        seconds=0,
        check=lambda _: None,
    )
    put_under_load(server.port, load, meanwhile=look)
    stored = server.place.artifacts / "huge.bin"
    assert stored.stat().st_size == scale.upload_bytes
    stored.unlink()
    return max(extra) / _MIB, max(temporary) / _MIB


def _temporary_bytes(server: Running) -> int:
    """Files in the server's folder for them, and those that have lost their name but are still open."""
    found: dict[tuple[int, int], int] = {}
    named = (Path(parent) / name for parent, _, names in os.walk(server.place.temporary) for name in names)
    for path in (*named, *_nameless(server)):
        with contextlib.suppress(OSError):
            stat = path.stat()
            found[stat.st_dev, stat.st_ino] = stat.st_size
    return sum(found.values())


def _nameless(server: Running) -> Iterator[Path]:
    for process in tree(server.pid):
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process}/fd").iterdir():
                target = str(descriptor.readlink())
                if target.startswith(str(server.place.temporary)) and target.endswith("(deleted)"):
                    yield descriptor


SINGLE: Final[Sequence[Single]] = (
    Single(
        name="start",
        rows=(
            Figure(title="cold start to 200 on /health", unit="s", most=1.2),
            Figure(title="memory at rest (PSS of all processes)", unit="MiB", most=180),
        ),
        measure=_start_and_rest,
        rounds=3,
        starts_anew=True,
    ),
    Single(
        name="client",
        rows=(Figure(title="the mlflow client: 20 runs from 4 processes", unit="s", bar=5),),
        measure=_real_clients,
        rounds=2,
    ),
    Single(
        name="gc",
        rows=(Figure(title="gc of 1,000 deleted runs", unit="s", bar=20),),
        measure=_collect,
        rounds=1,
    ),
    Single(
        name="upload-huge",
        rows=(
            Figure(title="proxied upload of 2 GiB: extra memory", unit="MiB", most=64),
            Figure(title="proxied upload of 2 GiB: temporary files", unit="MiB", most=0),
        ),
        measure=_upload_huge,
        rounds=1,
    ),
)
