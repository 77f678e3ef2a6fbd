"""`trackplane db upgrade --dry-run`: what it prints is what an upgrade does, and it touches nothing itself."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, select, text

from tests.support.databases import PostgreSql, opened
from tests.support.first_tables import FIRST_TABLES
from tests.support.mariadb import MariaDb
from tests.support.schema_facts import Facts, facts
from tracking_server.__main__ import main
from tracking_server.database import schema
from tracking_server.database.migrations.mlflow import HEAD
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database

ROWS: Final = "75868b020152"
"""The revision that works traces out row by row."""


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["db", "upgrade", "--dry-run", url, *arguments])


def told(url: str, *arguments: str) -> Mapping[str, Any]:
    result = run(url, "--json", *arguments)
    assert result.exit_code == 0, result.output
    report: Mapping[str, Any] = json.loads(result.stdout)
    return report


def statements(report: Mapping[str, Any]) -> Iterator[str]:
    """Those that can be sent as they are."""
    for step in report["sql"]:
        yield from (each["sql"] for each in step["statements"] if each["times"] != "for rows")


def begin(database: Database) -> None:
    """As it was before MLflow 1.0."""
    with database.engine.begin() as connection:
        FIRST_TABLES.create_all(connection)


def send(database: Database, sent: Iterable[str]) -> None:
    """With the driver alone, each by itself."""
    raw: Any = database.engine.raw_connection()
    try:
        if database.dialect == "sqlite":
            raw.execute("PRAGMA foreign_keys = OFF")
        if database.dialect == "postgresql":
            raw.driver_connection.autocommit = True
        cursor = raw.cursor()
        for statement in sent:
            cursor.execute(statement)
        cursor.close()
        raw.commit()
    finally:
        raw.invalidate()


def tables(database: Database) -> Facts:
    with database.engine.connect() as connection:
        return facts(connection)


def revisions(database: Database) -> list[str]:
    with database.engine.connect() as connection:
        return [
            revision
            for table in (schema.alembic_version, schema.alembic_version_trackplane)
            for revision in connection.scalars(select(table.c.version_num))
        ]


@pytest.fixture
def another_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'another.db'}"
    server: PostgreSql | MariaDb = request.getfixturevalue(engine_name)
    return server.create_database(f"by_hand_{abs(hash(request.node.nodeid))}")


def test_the_sql_of_a_dry_run_makes_what_an_upgrade_makes(
    empty_database: Database, empty_database_url: str, another_url: str
) -> None:
    """From before MLflow 1.0 to both heads."""
    begin(empty_database)
    before = tables(empty_database)
    report = told(empty_database_url)
    assert len(report["sql"]) == len(report["steps"]) == 70
    assert tables(empty_database) == before
    with opened(another_url) as by_hand:
        begin(by_hand)
        send(by_hand, statements(report))
        upgrade(empty_database)
        assert tables(by_hand) == tables(empty_database)
        assert revisions(by_hand) == revisions(empty_database) == [HEAD, "0003"]


def test_the_sql_for_an_empty_database_builds_it(
    empty_database: Database, empty_database_url: str, another_url: str
) -> None:
    report = told(empty_database_url)
    with opened(another_url) as by_hand:
        send(by_hand, statements(report))
        upgrade(empty_database)
        assert tables(by_hand) == tables(empty_database)
        assert revisions(by_hand) == [HEAD, "0003"]


def test_it_goes_no_further_than_it_is_told(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version_trackplane"))
        connection.execute(text("DROP TABLE trackplane_gc_claims"))
    (first, second) = told(database_url, "--to", "0002")["sql"]
    assert [each["sql"].partition(" ")[0] for each in first["statements"]].count("CREATE") == 0  # they are there
    assert any("CREATE TABLE trackplane_gc_claims" in each["sql"] for each in second["statements"])
    printed = run(database_url, "--to", "0002").stdout
    assert "-- trackplane 0002: " in printed
    assert "-- trackplane 0003: " not in printed
    assert "Nothing was changed" in printed


def test_nothing_is_to_be_done_at_the_heads(database_url: str) -> None:
    assert told(database_url)["sql"] == []
    assert "Nothing is to be done" in run(database_url).stdout


def test_whoever_writes_meanwhile_is_not_waited_for(database: Database, database_url: str) -> None:
    """An upgrade would wait for it."""
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'b7e2c1a4d9f3'"))
    with database.write() as connection:
        connection.execute(insert(schema.experiments).values(name="not committed"))
        assert len(told(database_url)["sql"]) == 2


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_an_index_that_is_built_concurrently_is_outside_of_a_transaction(database: Database, database_url: str) -> None:
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version_trackplane"))
        connection.execute(text("DROP INDEX trackplane_runs_by_deletion"))
    (step,) = told(database_url, "--to", "0001")["sql"]
    assert [each["sql"].partition("(")[0].strip() for each in step["statements"]] == [
        "SET lock_timeout = 0",
        "SET statement_timeout = 0",
        "CREATE INDEX CONCURRENTLY trackplane_runs_by_deletion ON runs",
        "BEGIN",
        "INSERT INTO alembic_version_trackplane",
        "COMMIT",
    ]


def test_what_is_worked_out_from_rows_is_told_and_not_to_be_sent(database: Database, database_url: str) -> None:
    with database.write() as connection:
        for statement in ("UPDATE alembic_version SET version_num = 'b7e2c1a4d9f3'", *TAKE_BACK):
            connection.execute(text(statement))
    (step,) = told(database_url, "--to", ROWS)["sql"]
    of_rows = [each["sql"] for each in step["statements"] if each["times"] == "for rows"]
    assert [sql.partition(" SET")[0] for sql in of_rows] == ["UPDATE trace_info", "UPDATE spans", "UPDATE assessments"]
    assert all(" = :at_" in sql for sql in of_rows)
    again = [each["sql"] for each in step["statements"] if each["times"] == "until nothing is left"]
    assert len(again) == (4 if database.dialect == "mysql" else 0)
    assert "trackplane-example" not in json.dumps(step)
    printed = run(database_url, "--to", ROWS).stdout
    assert "-- UPDATE trace_info SET" in printed
    assert "The SQL alone is for tables without rows" in printed


TAKE_BACK: Final = (
    "DROP TABLE sql_trace_rollup_rebuild_queue",
    "ALTER TABLE spans ADD COLUMN dimension_attributes TEXT",
)
"""As little as makes the step begin from its start."""


class TestRights:
    def test_an_account_of_postgresql_that_may_make_no_schema_is_told(self, postgresql: PostgreSql) -> None:
        url = postgresql.create_database("dry_run_rights", "template0")
        with opened(url) as database:
            begin(database)
        with postgresql.connected("dry_run_rights") as admin:
            admin.execute("CREATE ROLE narrow LOGIN")
            admin.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO narrow")
            admin.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO narrow")
        result = run(url.replace("trackplane@", "narrow@"), "--json")
        assert result.exit_code == 10
        message = json.loads(result.stdout)["message"]
        assert "GRANT CREATE ON DATABASE" in message
        assert "trackplane db check" in message

    def test_an_account_of_mariadb_that_may_make_no_database_is_told(self, mariadb: MariaDb) -> None:
        url = mariadb.create_database("dry_run_rights")
        with opened(url) as database:
            begin(database)
        with mariadb.connected() as admin, admin.cursor() as cursor:
            cursor.execute("GRANT ALL ON dry_run_rights.* TO narrow@localhost IDENTIFIED BY ''")
        result = run(url.replace("root@", "narrow@"), "--json")
        assert result.exit_code == 10
        message = json.loads(result.stdout)["message"]
        assert "GRANT ALL ON `dry_run_rights_trackplane_dry_run`" in message
        assert "trackplane db check" in message


def test_tables_that_cannot_be_copied_are_told(postgresql: PostgreSql) -> None:
    url = postgresql.create_database("dry_run_uncopied")
    with opened(url) as database:
        begin(database)
        with database.engine.begin() as connection:
            for statement in (
                "CREATE FUNCTION public.shortened(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT left($1, 9)'",
                "CREATE INDEX by_somebody ON tags (shortened(value))",
            ):
                connection.execute(text(statement))
    result = run(url, "--json")
    assert result.exit_code == 14
    message = json.loads(result.stdout)["message"]
    assert "CREATE INDEX by_somebody" in message
    assert "trackplane db check" in message


@pytest.mark.parametrize("engine_name", ["mariadb"])
class TestDatabaseBeside:
    def test_what_a_killed_one_left_is_tidied_up(self, database: Database, database_url: str) -> None:
        with database.engine.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version_trackplane"))
            name = f"{connection.scalar(text('SELECT DATABASE()'))}_trackplane_dry_run"
            connection.execute(text(f"CREATE DATABASE {name}"))
            connection.execute(text(f"CREATE TABLE {name}.experiments (name TEXT)"))
        assert len(told(database_url)["sql"]) == 3
        with database.read() as connection:
            assert connection.scalars(text(f"SHOW DATABASES LIKE '{name}'")).all() == []

    def test_one_of_somebody_else_is_left_alone(self, database: Database, database_url: str) -> None:
        with database.engine.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version_trackplane"))
            name = f"{connection.scalar(text('SELECT DATABASE()'))}_trackplane_dry_run"
            connection.execute(text(f"CREATE DATABASE {name}"))
            connection.execute(text(f"CREATE TABLE {name}.customers (name TEXT)"))
        assert "customers" in json.loads(run(database_url, "--json").stdout)["message"]
        with database.read() as connection:
            assert connection.scalars(text(f"SHOW TABLES IN {name}")).all() == ["customers"]
