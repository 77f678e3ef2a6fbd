"""A database of a release, upgraded by MLflow 3.17.2 and by ours: how the two differ, and how both are read."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from tests.support.client import environment, last_line, run_script
from tests.support.databases import opened
from tests.support.environments import ROOT, client_python
from tests.support.migrated import differences, driven, what_is_left
from tests.support.releases.engines import Place
from tests.support.releases.environments import release_python
from tests.support.releases.odd_rows import insert_odd_rows
from tests.support.server import live_server

SCRIPTS: Final = ROOT / "tests" / "contract" / "client" / "scripts"
WRITER: Final = SCRIPTS / "release_writer.py"
READER: Final = SCRIPTS / "read_all.py"
SECONDS: Final = 600
OLD_DRIVERS: Final = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql"}


class ReleaseFailed(Exception):
    """To be installed, to write, or to upgrade: what it said."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    name: str
    python: Path
    home: Path

    def write(self, url: str, *words: str) -> dict[str, str]:
        """Which parts the release wrote, and what it said to the others."""
        printed = _run([self.python, WRITER, _spelt_for_old(url), *words], self.home)
        parts: dict[str, str] = last_line(printed)
        return parts

    def make_tables(self, url: str) -> None:
        self.write(url, "", "new")


def open_release(name: str, home: Path) -> Release:
    try:
        return Release(name=name, python=release_python(name), home=home)
    except RuntimeError as error:
        raise ReleaseFailed(f"it cannot be installed: {str(error).strip()[-600:]}") from error


def adopt(release: Release, place: Place, *, seeds: int, kills: int) -> Iterator[str]:
    """What differs, a line each; nothing when all is well. What it did is printed."""
    name = f"r{release.name.replace('.', '_')}"
    told = release.write(place.create(name), "written")
    said = {part: answer for part, answer in told.items() if answer not in {"written", "absent"}}
    print(f"  wrote {list(told.values()).count('written')} of {len(told)} parts", said or "")
    for seed in range(seeds + 1):
        ours, theirs = (place.copy(name, f"{name}_{who}_{seed}", release.make_tables) for who in ("ours", "theirs"))
        if seed:
            taken = _make_odd(ours, seed)
            if taken != _make_odd(theirs, seed):
                yield f"the odd rows of seed {seed} are not the same in two equal databases"
            print(f"  seed {seed}: {taken} odd rows more")
        yield from compare(ours, theirs, release.home, is_read=not seed)
    if kills:
        whole = place.copy(name, f"{name}_whole", release.make_tables)
        started = time.monotonic()
        upgrade_by_ours(whole, release.home)
        seconds = time.monotonic() - started
        for number in range(kills):
            url = place.copy(name, f"{name}_killed_{number}", release.make_tables)
            yield from kill_at_random(url, whole, release.home, number, seconds)


def compare(ours: str, theirs: str, home: Path, *, is_read: bool) -> Iterator[str]:
    refusal = upgrade_by_mlflow(theirs, home)
    try:
        upgrade_by_ours(ours, home)
    except ReleaseFailed as error:
        yield f"ours fails{' as MLflow does' if refusal else ', MLflow not'}: {error}"
        return
    if refusal is not None:
        print(f"  MLflow's own upgrade fails, ours does not: {refusal}")
        return
    yield from rows_that_differ(ours, theirs)
    if is_read:
        yield from read_differently(ours, home)


def rows_that_differ(ours: str, theirs: str) -> Iterator[str]:
    with opened(ours) as one, opened(theirs) as other:
        yield from differences(what_is_left(one), what_is_left(other))


def read_differently(url: str, home: Path) -> Iterator[str]:
    """By MLflow 3.17.2 from the database, and from a server of ours."""
    with live_server(home, environ={"MLFLOW_BACKEND_STORE_URI": url}) as server:
        theirs, ours = last_line(run_script(READER, driven(url), server.url, home=home))
    yield from unequal(ours, theirs)


def unequal(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        one, other = cast(dict[str, Any], ours), cast(dict[str, Any], theirs)
        for key in sorted({*one, *other}):
            yield from unequal(one.get(key, "(nothing)"), other.get(key, "(nothing)"), f"{place}/{key}")
    elif ours != theirs:
        yield f"read at {place}: ours {ours!r:.300}, MLflow's {theirs!r:.300}"


def upgrade_by_mlflow(url: str, home: Path) -> str | None:
    """What it said when it failed."""
    try:
        _run([client_python().parent / "mlflow", "db", "upgrade", driven(url)], home)
    except ReleaseFailed as error:
        return str(error)
    return None


def upgrade_by_ours(url: str, home: Path) -> None:
    _run(_command(url), home)


def _command(url: str) -> list[str | Path]:
    return [sys.executable, "-m", "tracking_server", "db", "upgrade", url]


def kill_at_random(url: str, whole: str, home: Path, seed: int, seconds: float) -> Iterator[str]:
    """`kill -9`, up to three times within what an upgrade took, then to the end."""
    draw = random.Random(seed)
    killed = 0
    for _ in range(3):
        process = subprocess.Popen(_command(url), cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(seconds / 10, seconds))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += 1
            process.wait()
    print(f"  killed {killed} times")
    upgrade_by_ours(url, home)
    yield from (f"after {killed} kills: {line}" for line in rows_that_differ(url, whole))


def _make_odd(url: str, seed: int) -> int:
    with opened(url) as database, database.engine.connect() as connection, connection.begin():
        if database.dialect == "mysql":
            connection.exec_driver_sql("SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")
        return insert_odd_rows(connection, seed)


def _spelt_for_old(url: str) -> str:
    dialect, colon, rest = url.partition(":")
    return f"{OLD_DRIVERS.get(dialect, dialect)}{colon}{rest}"


def _run(command: list[str | Path], home: Path) -> str:
    started = time.monotonic()
    finished = subprocess.run(
        [str(word) for word in command],
        cwd=home,
        env=environment(home) | {"PYTHONWARNINGS": "ignore", "PATH": os.environ.get("PATH", "")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if finished.returncode:
        raise ReleaseFailed(f"{command[0]} ended with {finished.returncode}: {finished.stderr.strip()[-900:]}")
    print(f"  {Path(command[1]).name} {command[2]:.12} {time.monotonic() - started:.1f} s", flush=True)
    return finished.stdout
