"""`make bench-lifecycle`: a large database of an old release is upgraded, backed up, restored and collected.

Upgrade and gc stand beside MLflow's own commands, backup and restore beside `pg_dump` and `pg_restore`. The database is
made by MLflow's own migrations at the revision of release 1.30 and filled by SQL; each program gets a copy.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import text

from tests.bench.contenders import MLFLOW, OURS, Place, program_of
from tests.bench.report import with_table
from tests.support.client import run_script
from tests.support.databases import PostgreSql, opened, running_postgresql
from tests.support.environments import ROOT

PAGE: Final = ROOT / "docs" / "performance.md"
WALK: Final = ROOT / "tests" / "contract" / "client" / "scripts" / "migration_walk.py"
REVISION: Final = "97727af70f4d"
KEYS, STEPS, PARAMS, TAGS = 10, 100, 20, 8
METRICS_OF_A_RUN: Final = KEYS * STEPS
DELETED_BY_MLFLOW: Final = 1_000
"""It takes about twenty milliseconds for each, so that all of them would be an hour."""

_FILL: Final = (
    (
        "INSERT INTO experiments"
        " (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)"
        " VALUES (1, 'large', '{artifacts}/1', 'active', 1, 1)"
    ),
    (
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
        " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)"
        " SELECT run.id, 'run', 'LOCAL', '', '', 'user', 'FINISHED', 1700000000000 + run.number, 1700000001000, '',"
        " 'active', '{artifacts}/1/' || run.id || '/artifacts', 1, NULL FROM numbers run WHERE run.number < {runs}"
    ),
    (
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " SELECT 'm' || key.number, (run.number * 7919 + step.number) % 1000 / 1000.0,"
        " 1700000000000 + step.number * 1000, run.id, step.number, FALSE FROM numbers run, numbers key, numbers step"
        " WHERE run.number < {runs} AND key.number < {keys} AND step.number < {steps}"
    ),
    (
        "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " SELECT key, value, timestamp, run_uuid, step, is_nan FROM metrics WHERE step = {steps} - 1"
    ),
    (
        "INSERT INTO params (key, value, run_uuid) SELECT 'p' || key.number, 'v' || (run.number % 10), run.id"
        " FROM numbers run, numbers key WHERE run.number < {runs} AND key.number < {params}"
    ),
    (
        "INSERT INTO tags (key, value, run_uuid) SELECT 't' || key.number, 'v' || (run.number % 10), run.id"
        " FROM numbers run, numbers key WHERE run.number < {runs} AND key.number < {tags}"
    ),
)
_DELETE: Final = (
    (
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,"
        " end_time, source_version, lifecycle_stage, artifact_uri, experiment_id, deleted_time)"
        " SELECT 'd' || substr(run.id, 2), 'run', 'LOCAL', '', '', 'user', 'FINISHED', 1, 2, '', 'deleted',"
        " '{artifacts}/1/d' || substr(run.id, 2) || '/artifacts', 1, 1700000000000 FROM numbers run"
        " WHERE run.number < {deleted}"
    ),
    (
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " SELECT 'm' || key.number, 0.5, 1, 'd' || substr(run.id, 2), 0, FALSE FROM numbers run, numbers key"
        " WHERE run.number < {deleted} AND key.number < {keys}"
    ),
    (
        "INSERT INTO params (key, value, run_uuid) SELECT 'p' || key.number, 'v', 'd' || substr(run.id, 2)"
        " FROM numbers run, numbers key WHERE run.number < {deleted} AND key.number < {keys}"
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    metrics: int
    deleted: int

    @property
    def runs(self) -> int:
        return self.metrics // METRICS_OF_A_RUN

    @property
    def rows(self) -> int:
        return self.metrics + self.runs * (1 + KEYS + PARAMS + TAGS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    title: str
    unit: str
    """Of the work that is done in a second."""
    other: str
    others_rate: float | None
    our_rate: float


class Databases:
    """Makes databases of one kind in a folder, and copies them."""

    def __init__(self, folder: Path, postgresql: PostgreSql | None) -> None:
        self._folder = folder
        self.postgresql = postgresql

    def create(self, name: str) -> str:
        return self._file(name) if self.postgresql is None else self.postgresql.create_database(name)

    def copy(self, name: str, source: str) -> str:
        if self.postgresql is not None:
            return self.postgresql.create_database(name, source)
        shutil.copyfile(self._folder / f"{source}.db", self._folder / f"{name}.db")
        return self._file(name)

    def _file(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}.db"


def main() -> None:
    arguments = _arguments()
    size = Size(metrics=arguments.metrics, deleted=arguments.deleted)
    with (
        tempfile.TemporaryDirectory(prefix="trackplane-lifecycle-") as folder,
        _databases(Path(folder), arguments.database) as databases,
    ):
        rows = list(_measured(Path(folder), databases, size))
    page = _page(arguments.database, size, rows)
    print(page)
    if arguments.write:
        PAGE.write_text(with_table(PAGE.read_text(), f"lifecycle {arguments.database}", page))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lifecycle", description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--metrics", type=int, default=10_000_000, help="points of metrics; a run has 1,000")
    parser.add_argument("--deleted", type=int, default=100_000, help="deleted runs that gc removes")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


@contextmanager
def _databases(folder: Path, kind: str) -> Generator[Databases]:
    if kind == "sqlite":
        yield Databases(folder, None)
        return
    with running_postgresql(durable=True) as server:
        yield Databases(folder, server)


def _measured(folder: Path, databases: Databases, size: Size) -> Iterator[Row]:
    _say(f"{size.rows:,} rows at revision {REVISION}")
    _make_old(folder, databases, size)
    theirs, ours = (
        Place(server=server, folder=folder / server, database_url=databases.copy(server, "old"))
        for server in (MLFLOW, OURS)
    )
    for place in (theirs, ours):
        place.temporary.mkdir(parents=True)
    seconds = _run(theirs, "db", "upgrade", _address(theirs))
    our_seconds = _run(ours, "db", "upgrade", _address(ours))
    yield Row(
        title="upgrade from 1.30 to the head",
        unit="rows",
        other="mlflow db upgrade",
        others_rate=size.rows / seconds,
        our_rate=size.rows / our_seconds,
    )
    yield from _backed_up(folder, databases, size, ours)
    for place in (theirs, ours):
        _add_deleted(size, place)
    asked = min(DELETED_BY_MLFLOW, size.deleted)
    chosen = ",".join(f"d{number:031x}" for number in range(asked))
    seconds = _collect(theirs, f"--run-ids={chosen}")
    our_seconds = _collect(ours)
    left = _number(ours.database_url, "SELECT count(*) FROM runs WHERE lifecycle_stage = 'deleted'")
    assert left == 0, f"gc left {left} runs"
    yield Row(
        title=f"gc of {size.deleted:,} deleted runs",
        unit="runs",
        other=f"mlflow gc of {asked:,} of them",
        others_rate=asked / seconds,
        our_rate=size.deleted / our_seconds,
    )


def _backed_up(folder: Path, databases: Databases, size: Size, ours: Place) -> Iterator[Row]:
    """Dumps of PostgreSQL are taken and brought back by its own programs as they come; there is none for SQLite."""
    archive, dump = folder / "archive.tpk", folder / "database.dump"
    dumped = restored = None
    if databases.postgresql is not None:
        where = [f"--host={databases.postgresql.socket_folder}", "--username=trackplane"]
        dumped = _timed(["pg_dump", *where, "--format=custom", f"--file={dump}", OURS], folder, os.environ)
        databases.create("from_dump")
        restored = _timed(["pg_restore", *where, "--dbname=from_dump", str(dump)], folder, os.environ)
    seconds = _run(ours, "backup", f"--to={archive}", f"--backend-store-uri={ours.database_url}")
    our_megabytes = archive.stat().st_size / 1e6
    sizes = f"{our_megabytes:.0f} MB" + (f" beside {dump.stat().st_size / 1e6:.0f} MB" if dumped else "")
    yield Row(
        title=f"backup ({sizes})",
        unit="rows",
        other="pg_dump, custom format",
        others_rate=dumped and size.rows / dumped,
        our_rate=size.rows / seconds,
    )
    empty = databases.create("from_archive")
    seconds = _run(ours, "restore", str(archive), f"--backend-store-uri={empty}")
    found = _number(empty, "SELECT count(*) FROM metrics")
    assert found == size.metrics, f"{found} of {size.metrics} points came back"
    yield Row(
        title="restore into an empty database, verified",
        unit="rows",
        other="pg_restore",
        others_rate=restored and size.rows / restored,
        our_rate=size.rows / seconds,
    )


def _make_old(folder: Path, databases: Databases, size: Size) -> None:
    urls = [databases.create(name) for name in ("old", "unused")]
    nothing = folder / "rows.json"
    nothing.write_text("{}")
    addresses = [url.replace("postgresql://", "postgresql+psycopg://") for url in urls]
    run_script(WALK, *addresses, REVISION, REVISION, str(nothing), home=folder, environ={"PYTHONPATH": str(ROOT)})
    _execute(urls[0], _FILL, size, folder / "artifacts")


def _add_deleted(size: Size, place: Place) -> None:
    _say(f"{size.deleted:,} deleted runs with a file each")
    _execute(place.database_url, _DELETE, size, place.artifacts)
    for number in range(size.deleted):
        run = place.artifacts / "1" / f"d{number:031x}" / "artifacts"
        run.mkdir(parents=True)
        (run / "model.txt").write_bytes(b"x")


def _execute(url: str, statements: Sequence[str], size: Size, artifacts: Path) -> None:
    values = {"artifacts": str(artifacts), "runs": size.runs, "deleted": size.deleted}
    constants = {"keys": KEYS, "steps": STEPS, "params": PARAMS, "tags": TAGS}
    with opened(url) as database:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("CREATE TEMPORARY TABLE numbers (number BIGINT PRIMARY KEY, id VARCHAR(32))")
            numbers = [{"n": n, "id": f"{n:032x}"} for n in range(max(size.runs, size.deleted, STEPS))]
            connection.execute(text("INSERT INTO numbers VALUES (:n, :id)"), numbers)
            for statement in statements:
                connection.execute(text(statement.format(**values, **constants)))
            connection.exec_driver_sql("DROP TABLE numbers")
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")


def _number(url: str, query: str) -> int:
    with opened(url) as database, database.read() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())


def _collect(place: Place, *options: str) -> float:
    destination = f"--artifacts-destination={place.artifacts}"
    return _run(place, "gc", f"--backend-store-uri={_address(place)}", destination, *options)


def _address(place: Place) -> str:
    """MLflow's upgrade reads the scheme itself and wants the driver in it."""
    return place.database_url.replace("postgresql://", "postgresql+psycopg://")


def _run(place: Place, *arguments: str) -> float:
    environ = {**place.environment(), "MLFLOW_TRACKING_URI": place.database_url}
    return _timed([*program_of(place), *arguments], place.folder, environ)


def _timed(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> float:
    _say(" ".join(command)[:150])
    began = time.perf_counter()
    finished = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    assert not finished.returncode, f"{command[:4]} failed: {finished.stdout[-1000:]}{finished.stderr[-3000:]}"
    _say(f"  {seconds:.1f} s")
    return seconds


def _page(database: str, size: Size, rows: Sequence[Row]) -> str:
    lines = [
        (
            f"`make bench-lifecycle DATABASE={database} METRICS={size.metrics} DELETED={size.deleted}` on"
            f" {time.strftime('%Y-%m-%d')}: {os.cpu_count()} processors, Linux {platform.release()}."
        ),
        "",
        "| what is done | in a second | by the other | Trackplane | times |",
        "| --- | --- | ---: | ---: | ---: |",
        *(
            f"| {row.title} | {row.unit} | {f'{row.others_rate:,.0f} ({row.other})' if row.others_rate else ''} |"
            f" {row.our_rate:,.0f} | {f'{row.our_rate / row.others_rate:.2g}' if row.others_rate else ''} |"
            for row in rows
        ),
    ]
    return "\n".join(lines)


def _say(message: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {message}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
