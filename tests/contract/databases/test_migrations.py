import itertools
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, inspect, select, text, update
from sqlalchemy.types import TypeEngine

from tests.support.children import die, eventually, run_in_child, start_child, wait_for
from tests.support.databases import PostgreSql, opened
from tests.support.golden import copy_golden, fill_with_golden
from tracking_server.database import schema
from tracking_server.database.check import Current, DatabaseState, Empty, Foreign, Newer, Outdated, inspect_database
from tracking_server.database.migrations.mlflow import HEAD
from tracking_server.database.migrations.upgrade import create_schema, upgrade
from tracking_server.database.statements.run_search import select_run_page
from tracking_server.database.transactions import Database
from tracking_server.entities.runs import SearchRuns
from tracking_server.errors import MigrationFailed, SchemaUnsupported

Rows = Mapping[str, list[tuple[object, ...]]]


@pytest.fixture
def golden(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """MLflow's own file; on PostgreSQL, the same rows in the same tables."""
    if engine_name == "sqlite":
        url = f"sqlite:///{copy_golden(tmp_path / 'golden.db')}"
    else:
        server: PostgreSql = request.getfixturevalue("postgresql")
        url = server.create_database(f"golden_{next(_numbers)}", request.getfixturevalue("golden_template"))
    with opened(url) as database:
        yield database


_numbers = itertools.count()


@pytest.fixture(scope="session")
def golden_template(postgresql: PostgreSql, tmp_path_factory: pytest.TempPathFactory) -> str:
    with opened(postgresql.create_database("golden")) as database:
        with database.write() as connection:
            schema.metadata.create_all(connection)
            schema.alembic_version.create(connection)
            connection.execute(insert(schema.alembic_version).values(version_num=HEAD))
        fill_with_golden(database, tmp_path_factory.mktemp("golden"))
    return "golden"


def look(database: Database) -> DatabaseState:
    with database.read() as connection:
        return inspect_database(connection)


def rows_of(database: Database) -> Rows:
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in (*schema.metadata.sorted_tables, schema.alembic_version)
        }


def extra_indexes(connection: Connection) -> set[str]:
    names = (index["name"] for indexes in inspect(connection).get_multi_indexes().values() for index in indexes)
    return {str(name) for name in names if str(name).startswith("trackplane_")}


INDEXES = {
    "trackplane_runs_by_experiment",
    "trackplane_runs_by_deletion",
    "trackplane_experiment_tags_by_experiment",
    "trackplane_logged_models_by_experiment",
    "trackplane_logged_model_metrics_by_run",
    "trackplane_model_versions_by_run",
    "trackplane_gc_claims_by_claim",
    "trackplane_webhook_deliveries_by_webhook",
}


def test_an_empty_database_is_built_at_both_heads(empty_database: Database) -> None:
    assert isinstance(look(empty_database), Empty)
    done = upgrade(empty_database)
    assert done.steps == (f"mlflow:{HEAD}", "trackplane:0001", "trackplane:0002", "trackplane:0003")
    assert isinstance(look(empty_database), Current)
    with empty_database.read() as connection:
        assert connection.execute(select(schema.workspaces.c.name, schema.workspaces.c.description)).all() == [
            ("default", "Default workspace for legacy resources")
        ]
        assert extra_indexes(connection) == INDEXES


def test_a_built_database_is_left_alone(database: Database) -> None:
    assert create_schema(database) is False
    assert upgrade(database).steps == ()


@pytest.mark.parametrize("name", schema.own_metadata.tables)
def test_our_table_is_the_one_that_is_declared(database: Database, name: str) -> None:
    declared = schema.own_metadata.tables[name]
    with database.read() as connection:

        def spelt(kind: TypeEngine[Any]) -> str:
            text = kind.compile(connection.dialect)
            return re.sub(r" .*|(?<=INT)\(\d+\)|(?<=INTEGER)\(\d+\)", "", text)  # without collation and display width

        columns = inspect(connection).get_columns(name)
        found = [(column["name"], spelt(column["type"]), column["nullable"]) for column in columns]
        expected = [(column.name, spelt(column.type), column.nullable) for column in declared.columns]
        key = inspect(connection).get_pk_constraint(name)
    assert found == expected
    assert key["constrained_columns"] == [column.name for column in declared.primary_key]


def test_an_index_gives_the_default_order_of_a_search(database: Database) -> None:
    """docs/decisions/0004: neither SQLite nor PostgreSQL sorts all runs of an experiment to find the newest."""
    query = select_run_page(SearchRuns(experiment_ids=("1",)), [1], database.dialect).statement
    with database.read() as connection:
        if database.dialect == "postgresql":
            # Few rows: the planner would not bother. A sort stays in the plan only where no index gives the order.
            connection.execute(text("SET enable_seqscan = off"))
            connection.execute(text("SET enable_sort = off"))
        compiled = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
        plan = " ".join(str(row) for row in connection.exec_driver_sql(f"{explain} {compiled}"))
    assert "trackplane_runs_by_experiment" in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE FOR ORDER BY" not in plan


def test_the_indexes_are_plain(database: Database) -> None:
    """What MLflow's own migrations keep: columns, no expression, no condition, no text of unknown length.

    An order is lost where a table is copied, which never happens on PostgreSQL.
    """
    with database.read() as connection:
        for table in (*schema.metadata.tables, *schema.own_metadata.tables):
            for index in inspect(connection).get_indexes(table):
                if str(index["name"]).startswith("trackplane_"):
                    assert not index["unique"]
                    assert "column_sorting" not in index or database.dialect == "postgresql"
                    assert "expressions" not in index
                    assert not {"value", "tag_value"} & set(index["column_names"])


def test_a_database_of_mlflow_keeps_every_row(golden: Database) -> None:
    before = rows_of(golden)
    state = look(golden)
    assert isinstance(state, Outdated)
    assert state.is_additive
    assert [step.revision for step in state.steps] == ["0001", "0002", "0003"]
    assert upgrade(golden).steps == ("trackplane:0001", "trackplane:0002", "trackplane:0003")
    assert isinstance(look(golden), Current)
    assert rows_of(golden) == before
    assert sum(len(rows) for rows in before.values()) == 250


def test_a_database_of_ours_has_what_mlflow_looks_for(database: Database) -> None:
    """MLflow asks for its tables, and for one row in `alembic_version` that equals its head."""
    with database.read() as connection:
        assert connection.scalars(select(schema.alembic_version.c.version_num)).all() == [HEAD]
        assert set(schema.metadata.tables) <= set(inspect(connection).get_table_names())


CHANGES = ("CREATE", "INSERT", "UPDATE", "DELETE", "DROP", "ALTER")


def killed_upgrade(database: Database, moment: int) -> int:
    """The exit code of an upgrade that is killed before a change or a commit: the so-and-so-manieth of them."""

    def work() -> None:
        moments = itertools.count()

        def perhaps_die(*_event: object) -> None:
            if next(moments) == moment:
                die()

        def at_a_change(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().startswith(CHANGES):
                perhaps_die()

        event.listen(database.engine, "before_cursor_execute", at_a_change)
        event.listen(database.engine, "commit", perhaps_die)
        upgrade(database)

    return run_in_child(work)


def test_an_upgrade_killed_at_any_moment_can_be_run_again(
    golden: Database, engine_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    before = rows_of(golden)
    golden.dispose()
    for moment in itertools.count():
        with opened(fresh_golden(engine_name, request, tmp_path / f"{moment}.db")) as database:
            code = killed_upgrade(database, moment)
            if code == 0:
                assert moment > 10  # there are so many moments at least
                return
            assert code == -9
            assert isinstance(look(database), Outdated | Current)
            upgrade(database, wait_seconds=30)
            assert isinstance(look(database), Current)
            assert rows_of(database) == before
            with database.read() as connection:
                assert extra_indexes(connection) == INDEXES


def fresh_golden(engine_name: str, request: pytest.FixtureRequest, path: Path) -> str:
    if engine_name == "sqlite":
        return f"sqlite:///{copy_golden(path)}"
    server: PostgreSql = request.getfixturevalue("postgresql")
    return server.create_database(f"golden_{next(_numbers)}", request.getfixturevalue("golden_template"))


@pytest.mark.parametrize("moment", [0, 1, 100, 160])
def test_a_first_build_killed_at_any_moment_can_be_run_again(empty_database: Database, moment: int) -> None:
    assert killed_upgrade(empty_database, moment) == -9
    upgrade(empty_database, wait_seconds=30)
    assert isinstance(look(empty_database), Current)
    with empty_database.read() as connection:
        assert extra_indexes(connection) == INDEXES
        assert connection.scalars(select(schema.workspaces.c.name)).all() == ["default"]


def test_of_three_upgrades_at_once_one_works_and_the_others_find_nothing_to_do(
    golden: Database, tmp_path: Path
) -> None:
    golden.dispose()

    def work(number: int) -> None:
        (tmp_path / f"steps-{number}").write_text(" ".join(upgrade(golden, wait_seconds=60).steps))

    children = [start_child(partial(work, number)) for number in range(3)]
    assert [wait_for(child) for child in children] == [0, 0, 0]
    steps = sorted((tmp_path / f"steps-{number}").read_text() for number in range(3))
    assert steps == ["", "", "trackplane:0001 trackplane:0002 trackplane:0003"]


def test_a_database_of_a_newer_mlflow_is_refused_and_left_as_it_is(golden: Database) -> None:
    with golden.write() as connection:
        connection.execute(update(schema.alembic_version).values(version_num="f4a9b2c7d1e6"))
    before = rows_of(golden)
    assert isinstance(look(golden), Newer)
    with pytest.raises(SchemaUnsupported, match="f4a9b2c7d1e6"):
        upgrade(golden)
    assert rows_of(golden) == before


def test_a_database_of_another_program_is_refused_and_left_as_it_is(empty_database: Database) -> None:
    with empty_database.write() as connection:
        connection.execute(text("CREATE TABLE customers (name TEXT)"))
    assert isinstance(look(empty_database), Foreign)
    with pytest.raises(SchemaUnsupported, match="customers"):
        upgrade(empty_database)
    assert create_schema(empty_database) is False
    with empty_database.read() as connection:
        assert inspect(connection).get_table_names() == ["customers"]


def test_a_step_that_fails_says_so_and_leaves_the_database_before_it(golden: Database) -> None:
    with golden.write() as connection:
        connection.execute(text("CREATE VIEW trackplane_gc_claims AS SELECT 1 AS x"))
    with pytest.raises(MigrationFailed, match="trackplane:0002"):
        upgrade(golden)
    state = look(golden)
    assert isinstance(state, Outdated)
    assert state.facts.trackplane.current == "0001"
    with golden.write() as connection:
        connection.execute(text("DROP VIEW trackplane_gc_claims"))
    assert upgrade(golden).steps == ("trackplane:0002", "trackplane:0003")


def test_a_size_is_told(golden: Database) -> None:
    assert look(golden).facts.size_bytes > 900_000


class TestPostgresql:
    @pytest.fixture
    def engine_name(self) -> str:
        return "postgresql"

    def test_an_index_that_a_kill_left_invalid_is_made_anew(self, golden: Database) -> None:
        """A unique index over equal values fails when it is built concurrently, and stays behind as invalid."""
        with golden.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            with pytest.raises(Exception, match="could not create unique index"):
                connection.execute(
                    text("CREATE UNIQUE INDEX CONCURRENTLY trackplane_runs_by_deletion ON runs (lifecycle_stage)")
                )
        upgrade(golden)
        with golden.read() as connection:
            definition = connection.scalar(text("SELECT pg_get_indexdef('trackplane_runs_by_deletion'::regclass)"))
            invalid = connection.scalar(text("SELECT count(*) FROM pg_index WHERE NOT indisvalid"))
        assert "UNIQUE" not in str(definition)
        assert "(lifecycle_stage, deleted_time)" in str(definition)
        assert invalid == 0

    def test_writers_are_not_held_up_while_indexes_are_built(self, golden: Database) -> None:
        """An open write holds a concurrent build up, and the build in turn holds no other write up."""
        with golden.engine.connect() as open_write:
            open_write.execute(update(schema.runs).values(end_time=1))
            child = start_child(lambda: upgrade(golden))
            with golden.engine.connect() as other:
                other.execution_options(isolation_level="AUTOCOMMIT")
                waiting = text("SELECT query FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                eventually(lambda: any(query.startswith("CREATE INDEX") for query in other.scalars(waiting)))
                other.execute(insert(schema.experiments).values(experiment_id=1000, name="meanwhile"))
            open_write.commit()
        assert wait_for(child) == 0
        assert isinstance(look(golden), Current)
