"""The later half of MLflow's revisions: each of our steps leaves the tables and the rows that MLflow's own step leaves.

MLflow makes two equal databases at revision 28 and takes one of them to the head; we take the other. The rows are those
that MLflow 2.22.5 and 3.5.1 wrote and, before the step that moves traces into columns, some as odd as rows get.
"""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection

from tests.support.client import last_line, run_script
from tests.support.databases import opened
from tests.support.environments import ROOT
from tests.support.schema_facts import facts, insert_rows, rows
from tracking_server.database.migrations.mlflow import HEAD, releases, versions
from tracking_server.database.transactions import Database

SCRIPT: Final = ROOT / "tests" / "contract" / "client" / "scripts" / "migration_walk.py"
ROWS: Final = ROOT / "tests" / "data" / "migrations" / "rows.json"
FIRST: Final = "0584bdc529eb"
STEPS: Final = [*releases()][[*releases()].index(FIRST) + 1 :]
MODULES: Final = {
    path.name.split("_")[1]: f"{versions.__name__}.{path.stem}"
    for path in Path(next(iter(versions.__path__))).glob("r*.py")
}

Tables = Mapping[str, list[dict[str, Any]]]


class Pair:
    """What MLflow's steps left, and a database at `FIRST` for ours."""

    def __init__(self, database: Database, theirs: Mapping[str, Any]) -> None:
        self.database: Final = database
        self.theirs: Final = theirs
        self.insertions: Final[Mapping[str, Tables]] = json.loads(ROWS.read_text(encoding="utf-8"))

    def difference(self, revision: str) -> list[str]:
        with self.database.engine.connect() as connection:
            ours = {"facts": facts(connection), "rows": rows(connection)}
        return [
            f"{revision} {kind} of {table}: ours {only(mine, other)}, MLflow's {only(other, mine)}"
            for kind in ("facts", "rows")
            for table in sorted({*ours[kind], *self.theirs[revision][kind]})
            for mine in [readable(ours[kind].get(table, []))]
            for other in [readable(self.theirs[revision][kind].get(table, []))]
            if mine != other
        ]

    def insert(self, revision: str) -> None:
        with self.database.engine.begin() as connection:
            insert_rows(connection, self.insertions.get(revision, {}))


def only(lines: list[str], other: list[str]) -> list[str]:
    return [line for line in lines if line not in other] or lines


def readable(lines: Sequence[str]) -> list[str]:
    """Without the time at which the head cancels jobs."""
    return [line if '"status": 5' not in line or '"params"' not in line else without_time(line) for line in lines]


def without_time(line: str) -> str:
    job = json.loads(line)
    return json.dumps(job | {"last_update_time": min(job["last_update_time"], 1_000_000)}, sort_keys=True)


def step(revision: str) -> ModuleType:
    return import_module(MODULES[revision])


@contextmanager
def transaction(database: Database) -> Generator[Connection]:
    """As the runner of the steps has it: SQLite does not look at foreign keys."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys = OFF")
        with connection.begin(), Operations.context(MigrationContext.configure(connection)):
            yield connection


@pytest.fixture
def pair(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    urls: list[str] = []
    for name in ("theirs", "ours"):
        if engine_name == "sqlite":
            urls.append(f"sqlite:///{tmp_path / name}.db")
        else:
            urls.append(request.getfixturevalue(engine_name).create_database(f"late_{name}_{next(_numbers)}"))
    drivers = {"postgresql:": "postgresql+psycopg:", "mysql:": "mysql+pymysql:"}
    spelt = [
        drivers.get(f"{url.partition(':')[0]}:", url.partition(":")[0] + ":") + url.partition(":")[2] for url in urls
    ]
    printed = run_script(SCRIPT, *spelt, FIRST, HEAD, str(ROWS), home=tmp_path, environ={"PYTHONPATH": str(ROOT)})
    with opened(urls[1]) as database:
        yield Pair(database, last_line(printed))


_numbers: Final = count()


def test_each_step_leaves_what_mlflows_own_leaves(pair: Pair) -> None:
    for revision in STEPS:
        with transaction(pair.database):
            step(revision).upgrade()
        pair.insert(revision)
        assert pair.difference(revision) == []
