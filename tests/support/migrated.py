"""Databases that MLflow's own migrations have been through, and how ours differ from them.

Run as a program with the URL of a database, it upgrades a copy with MLflow and a copy with ours and prints the
differences: `make adopt DB=sqlite:///mlflow.db`. Of a server's database the copy is given: COPY is its second.
"""

import json
import lzma
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Boolean, MetaData, Table, select, type_coerce
from sqlalchemy.types import NullType

from tests.support.client import last_line, run_script
from tests.support.environments import ROOT, client_python
from tests.support.schema_facts import facts, rows
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database, open_database

DATA: Final = ROOT / "tests" / "data" / "migrations"
WALK: Final = ROOT / "tests" / "contract" / "client" / "scripts" / "migration_walk.py"
RELEASES: Final = ("1.30.1", "2.9.2", "2.22.5", "3.5.1")
"""Of MLflow, which wrote the databases that `golden_of` gives."""
DRIVERS: Final = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}

Left = Mapping[str, Mapping[str, Sequence[str]]]
"""`facts` and `rows`, each by table."""


def golden_of(release: str, folder: Path) -> Path:
    return _unpacked(DATA / f"mlflow-{release}.db.xz", folder)


def upgraded_by_mlflow(release: str, folder: Path) -> Path:
    """What MLflow 3.17.2's own upgrade made of that database."""
    return _unpacked(DATA / f"mlflow-{release}.upgraded.db.xz", folder)


def rows_of_golden(release: str, folder: Path) -> tuple[str, Mapping[str, Sequence[Mapping[str, Any]]]]:
    """Its revision, and the rows of each table that has any, as `insert_rows` takes them on any engine."""
    database = open_database(f"sqlite:///{golden_of(release, folder)}")
    tables = MetaData()
    with database.read() as connection:
        tables.reflect(connection)
        ((revision,),) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").all()
        found = {
            table.name: [dict(row) for row in connection.execute(select(*_stored(table))).mappings()]
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }
    database.dispose()
    return str(revision), {name: lines for name, lines in found.items() if lines}


def _stored(table: Table) -> list[Any]:
    return [
        column if isinstance(column.type, Boolean) else type_coerce(column, NullType())
        for column in table.columns
        if column.computed is None
    ]


def _unpacked(file: Path, folder: Path) -> Path:
    path = folder / file.stem
    path.write_bytes(lzma.decompress(file.read_bytes()))
    return path


def walk(
    url: str, twin: str, first: str, last: str, file: Path, home: Path, *, at_once: bool = False
) -> Mapping[str, Left]:
    """What each of MLflow's steps between two revisions leaves at `url`, or what they leave all `at_once`; `twin` is
    left at the first, with its rows."""
    words = [driven(url), driven(twin), first, last, str(file), *(["at-once"] if at_once else [])]
    printed = run_script(WALK, *words, home=home, environ={"PYTHONPATH": str(ROOT)})
    left: Mapping[str, Left] = last_line(printed)
    return left


@dataclass(frozen=True, kw_only=True, slots=True)
class Walk:
    """What each of MLflow's steps left on an engine, and where the database is from which ours begin."""

    left: Mapping[str, Left]
    start: str
    """A file of SQLite, else the name of a database."""


class Walks:
    """From one revision to another on each engine, made once. `name` tells its databases from those of others."""

    def __init__(self, folder: Path, name: str, first: str, last: str, rows_of: Path) -> None:
        self._folder: Final = folder
        self._name: Final = name
        self._way: Final = (first, last, rows_of, folder)
        self._done: Final[dict[str, Walk]] = {}

    def on(self, engine: str, server: Any) -> Walk:
        """`server`: None for SQLite."""
        if engine not in self._done:
            if server is None:
                theirs, start = (str(self._folder / each) for each in ("theirs.db", "start.db"))
                url, twin = (f"sqlite:///{each}" for each in (theirs, start))
            else:
                theirs, start = f"{self._name}_theirs", f"{self._name}_start"
                url, twin = (server.create_database(each) for each in (theirs, start))
            self._done[engine] = Walk(left=walk(url, twin, *self._way), start=start)
        return self._done[engine]


def driven(url: str) -> str:
    """As MLflow must be told it, which would look for another driver."""
    dialect, colon, rest = url.partition(":")
    return f"{DRIVERS.get(dialect, dialect)}{colon}{rest}"


def what_is_left(database: Database) -> Left:
    with database.engine.connect() as connection:
        return {"facts": facts(connection), "rows": rows(connection)}


def differences(ours: Left, theirs: Left) -> list[str]:
    """Without our own tables and indexes, and without the time at which the head cancels jobs."""
    return [
        f"{kind} of {table}: ours {_only(mine, other)}, MLflow's {_only(other, mine)}"
        for kind in ("facts", "rows")
        for table in sorted({*ours[kind], *theirs[kind]})
        if not table.startswith(("trackplane_", "alembic_version_trackplane", "sqlite_"))
        for mine in [_comparable(table, ours[kind].get(table, []))]
        for other in [_comparable(table, _without_replaced(theirs[kind].get(table, []), ours[kind].get(table, [])))]
        if mine != other
    ]


def _without_replaced(theirs: Sequence[str], ours: Sequence[str]) -> list[str]:
    """MySQL and MariaDB let an index of ours stand in for the one that they made for a foreign key of its column."""
    begins = {found[1] for line in ours if (found := re.match(r"KEY `trackplane_\w+` \((`\w+`)", line))}
    return [line for line in theirs if line in ours or not (found := _OF_KEY.match(line)) or found[1] not in begins]


_OF_KEY: Final = re.compile(r"KEY `\w+` \((`\w+`)\)$")
_NUMBERED: Final = re.compile(r"CONSTRAINT `CONSTRAINT_\d+` (?=CHECK)")
"""A condition without a name, in the words of MariaDB, which counts them. MLflow leaves one of 1.13 twice."""


def _only(lines: list[str], other: list[str]) -> list[str]:
    return [line for line in lines if line not in other] or lines


def _comparable(table: str, lines: Sequence[str]) -> list[str]:
    without_ours = [line for line in lines if line.startswith("{") or "trackplane_" not in line]
    conditions = {_NUMBERED.sub("", line) for line in without_ours if _NUMBERED.match(line)}
    named = [line for line in without_ours if not _NUMBERED.match(line)]
    return [
        *sorted(_without_time(line) if table == "jobs" and line.startswith("{") else line for line in named),
        *sorted(conditions),
    ]


def _without_time(line: str) -> str:
    job: dict[str, Any] = json.loads(line)
    is_now = job["last_update_time"] > job["creation_time"] + 1_000_000
    return json.dumps(job | {"last_update_time": "now" if is_now else job["last_update_time"]}, sort_keys=True)


def main(url: str, copy: str | None = None) -> int:
    with tempfile.TemporaryDirectory(prefix="trackplane-adopt-") as name:
        home = Path(name)
        database = open_database(url)
        if copy is None:
            if database.url.path is None or not database.url.path.exists():
                print("Only a file of SQLite is copied here: name a second database, a copy of the first.")
                return 2
            ours, theirs = (
                f"sqlite:///{shutil.copyfile(database.url.path, home / each)}" for each in ("ours.db", "theirs.db")
            )
            database = open_database(ours)
        else:
            theirs = copy
        run_script(client_python().parent / "mlflow", "db", "upgrade", driven(theirs), home=home)
        done = upgrade(database)
        found = differences(what_is_left(database), what_is_left(open_database(theirs)))
        print(*found, f"{len(done.steps)} steps, {len(found)} differences", sep="\n")
        return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
