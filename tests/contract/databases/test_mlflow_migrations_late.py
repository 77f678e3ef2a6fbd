"""The later half of MLflow's revisions: each of our steps leaves the tables and the rows that MLflow's own step leaves.

MLflow makes two equal databases at revision 28 and takes one of them to the head; we take the other. The rows are those
that MLflow 2.22.5 and 3.5.1 wrote and, before the step that moves traces into columns, some as odd as rows get.
"""

import json
import shutil
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, event, text

from tests.support.databases import opened
from tests.support.kill_steps import STRIDE, TRANSACTIONAL, survive_kills
from tests.support.migrated import DATA, Walk, Walks, differences, what_is_left
from tests.support.schema_facts import facts, insert_rows, rows
from tracking_server.database.migrations.mlflow import HEAD, releases, versions
from tracking_server.database.transactions import Database
from tracking_server.errors import MigrationFailed

pytestmark = pytest.mark.xdist_group("mlflow_migrations_late")

ROWS: Final = DATA / "rows.json"
FIRST: Final = "0584bdc529eb"
STEPS: Final = tuple(releases())[tuple(releases()).index(FIRST) + 1 :]
TRACE_COLUMNS: Final = "75868b020152"
KILLED: Final = {
    *("1bd49d398cd23", "5d2d30f0abce", "c9d4e5f6a7b8", "d0e1f2a3b4c5", "1b5f0d9ad7c1", "c1d2e3f4a5b6"),
    *("6f8d9c3b2a1e", TRACE_COLUMNS, HEAD),
}
"""The steps that do more than to make tables, columns and indexes; and one that does that."""
MODULES: Final = {
    path.name.split("_")[1]: f"{versions.__name__}.{path.stem}"
    for path in Path(next(iter(versions.__path__))).glob("r*.py")
}
INSERTIONS: Final[Mapping[str, Mapping[str, list[dict[str, Any]]]]] = json.loads(ROWS.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Walks:
    return Walks(tmp_path_factory.mktemp("walks"), "late", FIRST, HEAD, ROWS)


@pytest.fixture
def server(engine_name: str, request: pytest.FixtureRequest) -> Any:
    return None if engine_name == "sqlite" else request.getfixturevalue(engine_name)


@pytest.fixture
def walk(walks: Walks, engine_name: str, server: Any) -> Walk:
    return walks.on(engine_name, server)


@pytest.fixture
def ours(walk: Walk, server: Any, tmp_path: Path) -> Iterator[Database]:
    """At revision 28, as MLflow made it."""
    if server is None:
        url = f"sqlite:///{shutil.copyfile(walk.start, tmp_path / 'ours.db')}"
    else:
        url = server.create_database(f"late_ours_{next(_numbers)}", walk.start)
    with opened(url) as database:
        yield database


_numbers: Final = count()


def take(database: Database, revision: str) -> None:
    with transaction(database):
        import_module(MODULES[revision]).upgrade()


@contextmanager
def transaction(database: Database) -> Generator[Connection]:
    """As the runner of the steps has it: SQLite does not look at foreign keys."""
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            raw: Any = connection.connection.dbapi_connection
            raw.execute("PRAGMA foreign_keys = OFF")
        with connection.begin(), Operations.context(MigrationContext.configure(connection)):
            yield connection


def take_to(database: Database, last: str) -> None:
    """The step before `last` is the last that is taken, and has its rows."""
    for revision in STEPS[: STEPS.index(last)]:
        take(database, revision)
        insert(database, revision)


def insert(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        insert_rows(connection, INSERTIONS.get(revision, {}))


def differing(database: Database, walk: Walk, revision: str) -> list[str]:
    return [f"{revision} {told}" for told in differences(what_is_left(database), walk.left[revision])]


def test_each_step_leaves_what_mlflows_own_leaves(ours: Database, walk: Walk) -> None:
    for revision in STEPS:
        take(ours, revision)
        insert(ours, revision)
        assert differing(ours, walk, revision) == []


@pytest.mark.parametrize("engine_name", TRANSACTIONAL)
def test_a_step_that_was_killed_is_run_again(ours: Database, server: Any, tmp_path: Path) -> None:
    """Where a step is one transaction."""
    assert survive_kills(ours, server, STEPS, insert, tmp_path, some=60) > 3


class Killed(Exception):
    pass


def take_with_kills(database: Database, revision: str) -> int:
    """Ends the step before its second change, again and again, until there is none; how often it took.

    When it begins with a change that was made before, and lost with its transaction, one more is allowed.
    """
    allowed, seen, tries = 1, set[str](), 0
    while True:
        changes: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().startswith(("ALTER", "CREATE", "DROP", "INSERT", "UPDATE", "DELETE")):
                if len(changes) == allowed:  # noqa: B023 - heard within this turn only
                    raise Killed
                changes.append(statement)  # noqa: B023 - as above

        tries += 1
        event.listen(database.engine, "before_cursor_execute", note)
        try:
            take(database, revision)
        except Killed:
            allowed = allowed + 1 if changes[0] in seen else 1
            seen.add(changes[0])
        else:
            return tries
        finally:
            event.remove(database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("engine_name", ["mariadb"])
def test_a_step_that_was_killed_anywhere_can_be_run_again(ours: Database, walk: Walk) -> None:
    """On the engine that keeps each change of a table at once."""
    tries: dict[str, int] = {}
    for revision in STEPS:
        if STRIDE or revision in KILLED:
            tries[revision] = take_with_kills(ours, revision)
        else:
            take(ours, revision)
        insert(ours, revision)
        assert differing(ours, walk, revision) == []
    assert min(tries[revision] for revision in KILLED) > 1
    assert tries["1b5f0d9ad7c1"] > 40  # changes of tables, each of which is kept


def test_columns_that_mlflow_prepared_are_filled_again(ours: Database, walk: Walk) -> None:
    """`mlflow db prepopulate-trace-analytics` adds them beforehand; what it wrote may be out of date by now."""
    take_to(ours, TRACE_COLUMNS)
    double = {"sqlite": "FLOAT", "postgresql": "DOUBLE PRECISION"}.get(ours.dialect, "DOUBLE")
    false = "false" if ours.dialect == "postgresql" else "0"
    with ours.engine.begin() as connection:
        for statement in (
            "ALTER TABLE assessments ADD COLUMN experiment_id INTEGER",
            "ALTER TABLE assessments ADD COLUMN trace_timestamp_ms BIGINT",
            f"ALTER TABLE assessments ADD COLUMN aggregate_value {double}",
            f"ALTER TABLE assessments ADD COLUMN is_numeric_value BOOLEAN DEFAULT {false}",
            "ALTER TABLE trace_info ADD COLUMN trace_name VARCHAR(4096)",
            "ALTER TABLE trace_info ADD COLUMN session_id VARCHAR(250)",
            "UPDATE trace_info SET trace_name = 'old', session_id = 'old'",
            "UPDATE assessments SET aggregate_value = 7, experiment_id = 3",
        ):
            connection.execute(text(statement))
    take(ours, TRACE_COLUMNS)
    assert [each for each in differing(ours, walk, TRACE_COLUMNS) if " rows " in each or "assessments" in each] == []


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_spans_and_assessments_without_a_trace_stay(ours: Database) -> None:
    """SQLite did not look at foreign keys; MLflow's own upgrade refuses."""
    take_to(ours, TRACE_COLUMNS)
    with transaction(ours) as connection:
        connection.execute(text("DELETE FROM trace_info"))
        before = rows(connection)
    take(ours, TRACE_COLUMNS)
    with ours.engine.connect() as connection:
        after = rows(connection)
        (place,) = connection.execute(text("SELECT DISTINCT experiment_id FROM assessments")).all()
    assert place == (None,)
    for table in ("spans", "assessments"):
        assert len(after[table]) == len(before[table])


@pytest.mark.parametrize(
    ("dimensions", "said"),
    [
        ('{"mlflow.llm.model": "gpt", "region": "eu"}', "values that have no column: region"),
        ('{"mlflow.llm.model": 4}', "values that have no column: mlflow.llm.model"),
        ("[1]", "list instead of an object"),
    ],
)
@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_dimensions_that_no_column_takes_are_not_lost(ours: Database, dimensions: str, said: str) -> None:
    take_to(ours, "1b5f0d9ad7c1")
    with ours.engine.begin() as connection:
        connection.execute(text("UPDATE spans SET dimension_attributes = :value"), {"value": dimensions})
        before = facts(connection)
    with pytest.raises(MigrationFailed, match=said):
        take(ours, TRACE_COLUMNS)
    with ours.engine.connect() as connection:
        assert facts(connection) == before
