"""From any release of MLflow to the head: what our steps leave is what MLflow's own leave, also after a kill.

Each step up to revision 28 is compared here, the later ones in `test_mlflow_migrations_late.py`, whole chains in both.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from sqlalchemy import event, text

from tests.support.children import start_child, wait_for
from tests.support.databases import opened
from tests.support.kill_steps import CHANGES, TRANSACTIONAL, survive_kills
from tests.support.migrated import (
    DATA,
    RELEASES,
    Left,
    Walks,
    differences,
    golden_of,
    upgraded_by_mlflow,
    what_is_left,
)
from tests.support.schema_facts import insert_rows
from tracking_server.__main__ import main
from tracking_server.database.check import Current, Outdated, inspect_database
from tracking_server.database.migrations.mlflow import releases
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database

pytestmark = pytest.mark.xdist_group("mlflow_migrations")

LAST: Final = "0584bdc529eb"
STEPS: Final = tuple(releases())[: tuple(releases()).index(LAST) + 1]
ROWS: Final = DATA / "early-rows.json"
INSERTIONS: Final[Mapping[str, Mapping[str, list[dict[str, Any]]]]] = json.loads(ROWS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Walks:
    return Walks(tmp_path_factory.mktemp("walks"), "early", "base", LAST, ROWS)


@pytest.fixture
def server(engine_name: str, request: pytest.FixtureRequest) -> Any:
    return None if engine_name == "sqlite" else request.getfixturevalue(engine_name)


@pytest.fixture
def theirs(walks: Walks, engine_name: str, server: Any) -> Mapping[str, Left]:
    return walks.on(engine_name, server).left


@pytest.fixture
def ours(walks: Walks, engine_name: str, server: Any, tmp_path: Path) -> Iterator[Database]:
    """As it was before MLflow 1.0: five tables, and no revision recorded."""
    start = walks.on(engine_name, server).start
    if server is None:
        url = f"sqlite:///{shutil.copyfile(start, tmp_path / 'ours.db')}"
    else:
        url = server.create_database(f"early_ours_{next(_numbers)}", start)
    with opened(url) as database:
        yield database


_numbers: Final = count()


def insert(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        insert_rows(connection, INSERTIONS.get(revision, {}))


def is_current(database: Database) -> bool:
    with database.read() as connection:
        return isinstance(inspect_database(connection), Current)


def steps_left(database: Database) -> Left:
    """A copy in MariaDB has the index of each foreign key as if someone had made it: such a one stays beside a later
    index of the same columns, which would else have taken its place."""
    left = what_is_left(database)
    of_key = "KEY `run_uuid` (`run_uuid`)"
    facts = {
        table: [line for line in lines if line != of_key or f"KEY `index_{table}_run_uuid` (`run_uuid`)" not in lines]
        for table, lines in left["facts"].items()
    }
    return {**left, "facts": facts}


# The time between 1.15 and 1.16: MLflow's own step took the default of a column away, and the next gave it back.
AS_THE_NEXT: Final = {"39d1c3be5f05": ["facts of metrics: ours ['`is_nan` tinyint(1) NOT NULL DEFAULT 0'],"]}


def test_each_step_leaves_what_mlflows_own_leaves(ours: Database, theirs: Mapping[str, Left]) -> None:
    for revision in STEPS:
        upgrade(ours, to=revision)
        insert(ours, revision)
        found = differences(steps_left(ours), theirs[revision])
        expected = AS_THE_NEXT.get(revision, []) if ours.dialect == "mysql" else []
        assert len(found) == len(expected), (revision, found)
        for line, begins in zip(found, expected, strict=True):
            assert line.startswith(begins)
    upgrade(ours)
    assert is_current(ours)


@pytest.mark.parametrize("release", RELEASES)
def test_a_database_of_a_release_becomes_what_mlflows_own_upgrade_makes_of_it(release: str, tmp_path: Path) -> None:
    with opened(f"sqlite:///{golden_of(release, tmp_path)}") as database:
        assert upgrade(database).steps
        assert is_current(database)
        ours = what_is_left(database)
        assert upgrade(database).steps == ()
    with opened(f"sqlite:///{upgraded_by_mlflow(release, tmp_path)}") as database:
        assert differences(ours, what_is_left(database)) == []


class Killed(Exception):
    pass


def killed(database: Database, revision: str, allowed: int) -> str | None:
    """The first change of a step that was ended before its next, after so many; None when it came to its end."""
    changes: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith(CHANGES):
            if len(changes) == allowed:
                raise Killed
            changes.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        upgrade(database, to=revision)
    except Killed:
        return changes[0]
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return None


@pytest.mark.parametrize("engine_name", ["mariadb"])
def test_a_step_that_was_killed_at_each_change_can_be_run_again(ours: Database, theirs: Mapping[str, Left]) -> None:
    """Where each change of a table is kept at once: a step is killed before its second change, and run again, until it
    has no second. When the first was lost with its transaction, one more is allowed."""
    kills = 0
    for revision in STEPS:
        allowed, last = 1, ""
        while first := killed(ours, revision, allowed):
            kills += 1
            allowed, last = (allowed + 1 if first == last else 1), first
        insert(ours, revision)
    assert kills > 30
    assert differences(steps_left(ours), theirs[LAST]) == []


@pytest.mark.parametrize("engine_name", TRANSACTIONAL)
def test_a_step_that_was_killed_is_run_again(ours: Database, server: Any, tmp_path: Path) -> None:
    """Where a step is one transaction."""
    assert survive_kills(ours, server, STEPS, insert, tmp_path, some=23) > 5


def test_of_three_upgrades_at_once_one_works_and_the_others_find_nothing_to_do(ours: Database, tmp_path: Path) -> None:
    ours.dispose()

    def work(number: int) -> None:
        (tmp_path / f"steps-{number}").write_text(str(len(upgrade(ours, wait_seconds=120).steps)))

    children = [start_child(partial(work, number)) for number in range(3)]
    assert [wait_for(child) for child in children] == [0, 0, 0]
    assert sorted(int((tmp_path / f"steps-{number}").read_text()) for number in range(3)) == [0, 0, 70]


@pytest.mark.parametrize(
    ("number", "expected"), [(5.0, (5.0, 0)), (0.0, (0.0, 0)), (-5.0, (0.0, 1))], ids=["above", "equal", "below"]
)
@pytest.mark.parametrize("engine_name", ["sqlite", "mariadb"])
def test_the_latest_of_a_number_and_none_at_the_same_step_and_time(
    ours: Database, number: float, expected: tuple[float, int]
) -> None:
    """MLflow's own upgrade fails there."""
    upgrade(ours, to="7ac759974ad8")
    point = {"key": "odd", "timestamp": 10, "step": 4, "run_uuid": "r1"}
    rows = [point | {"value": 0.0, "is_nan": True}, point | {"value": number, "is_nan": False}]
    with ours.engine.begin() as connection:
        insert_rows(connection, {"metrics": rows})
    upgrade(ours)
    latest = text("SELECT value, is_nan FROM latest_metrics WHERE run_uuid = 'r1' AND latest_metrics.key = 'odd'")
    with ours.read() as connection:
        assert [tuple(row) for row in connection.execute(latest)] == [expected]


def test_versions_under_the_old_name_of_a_model_stay_as_they_are(tmp_path: Path) -> None:
    """SQLite up to MLflow 1.8 did not look at foreign keys: renaming a model left its versions behind."""
    path = golden_of("1.30.1", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        versions = connection.execute("SELECT name, version FROM model_versions ORDER BY 1, 2").fetchall()
        connection.execute("UPDATE registered_models SET name = name || ' renamed'")
        connection.commit()
    with opened(f"sqlite:///{path}") as database:
        upgrade(database)
        with database.read() as connection:
            kept = connection.execute(text("SELECT name, version FROM model_versions ORDER BY 1, 2")).all()
    assert [tuple(row) for row in kept] == versions != []


def test_what_a_killed_upgrade_of_mlflow_left_half_done_is_done(tmp_path: Path) -> None:
    """On SQLite it keeps a new column, or the copy of a table that it has begun, without the revision."""
    path = golden_of("2.9.2", tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE _alembic_tmp_experiments (experiment_id INTEGER)")
        connection.execute("ALTER TABLE inputs ADD COLUMN step BIGINT DEFAULT '0' NOT NULL")
        connection.commit()
    with opened(f"sqlite:///{path}") as database:
        upgrade(database)
        ours = what_is_left(database)
    with opened(f"sqlite:///{upgraded_by_mlflow('2.9.2', tmp_path)}") as database:
        assert differences(ours, what_is_left(database)) == []


def test_the_rows_of_a_step_are_counted_on_standard_error(tmp_path: Path) -> None:
    golden = golden_of("3.5.1", tmp_path)
    with closing(sqlite3.connect(golden)) as connection:
        ((traces,),) = connection.execute("SELECT count(*) FROM trace_info").fetchall()
    result = CliRunner().invoke(main, ["db", "upgrade", f"sqlite:///{golden}"])
    assert result.exit_code == 0
    assert f"mlflow:75868b020152\n{traces} of {traces} traces filled, " in re.sub(
        ".*spans looked at.*\n", "", result.stderr
    )
    assert f" of {traces} traces filled" not in result.stdout


def test_an_older_database_says_how_far_it_is_behind(tmp_path: Path) -> None:
    with opened(f"sqlite:///{golden_of('2.9.2', tmp_path)}") as database, database.read() as connection:
        state = inspect_database(connection)
    assert isinstance(state, Outdated)
    assert state.facts.mlflow.current == "acf3f17fdcc7"
    assert len(state.steps) == 47
