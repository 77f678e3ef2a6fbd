"""Archives that go from one engine to another: all comes over, or is refused row by row before anything is written."""

import json
import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, insert, select, text

from tests.support.databases import ENGINES, PostgreSql, opened
from tests.support.golden import copy_golden, fill_with_golden
from tests.support.mariadb import MariaDb
from tracking_server.commands.db import db
from tracking_server.database import schema
from tracking_server.database.archive.backup import back_up
from tracking_server.database.archive.format import TableContent
from tracking_server.database.archive.restore import restore
from tracking_server.database.archive.tables import checksum_of, read_schema
from tracking_server.database.check import Current
from tracking_server.database.migrations.upgrade import create_schema
from tracking_server.database.start import look
from tracking_server.database.transactions import Database
from tracking_server.errors import RestoreFailed

NOW = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def new_database(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    number = time.monotonic_ns()
    if name == "sqlite":
        return f"sqlite:///{tmp_path / f'{number}.db'}"
    server: PostgreSql | MariaDb = request.getfixturevalue(name)
    return server.create_database(f"crossing_{number}")


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(new_database(str(request.param), request, tmp_path)) as database:
        yield database


def statements_of(database: Database) -> list[str]:
    with database.snapshot() as connection:
        native = read_schema(connection).native
    return sorted(
        statement
        for statement in (*native.before_rows, *native.after_rows)
        if not statement.startswith("SELECT setval")
    )


def contents(database: Database) -> dict[str, TableContent]:
    """Of all tables but that of the engine's own revision."""
    with database.snapshot() as connection:
        return {table.name: checksum_of(connection, table) for table in read_schema(connection).tables}


def add_run(connection: Connection, run_id: str = "r") -> None:
    connection.execute(
        insert(schema.experiments).values(experiment_id=7, name="e", lifecycle_stage="active", workspace="default")
    )
    connection.execute(insert(schema.runs).values(run_uuid=run_id, experiment_id=7))


def test_all_comes_over_and_goes_on(database: Database, target: Database, tmp_path: Path) -> None:
    """Each engine to each, back in the same engine too; ids go on, computed columns are computed."""
    fill_with_golden(database, tmp_path)
    archive = back_up(database, tmp_path, now=NOW, tool="a test")
    restored = restore(target, archive.path, replace=False)
    assert restored.left_behind == ()
    assert contents(target) == contents(database)
    assert isinstance(look(target), Current)
    with target.write() as connection:
        highest = connection.scalar(select(schema.experiments.c.experiment_id).order_by(text("1 DESC"))) or 0
        new = insert(schema.experiments).values(name="next", lifecycle_stage="active", workspace="default")
        assert connection.execute(new).inserted_primary_key == (highest + 1,)
        durations = connection.execute(
            text("SELECT duration_ns, end_time_unix_nano - start_time_unix_nano FROM spans")
        ).all()
        assert durations
        assert all(duration == difference for duration, difference in durations)


def test_the_schema_is_the_one_that_an_upgrade_builds(
    request: pytest.FixtureRequest, target: Database, tmp_path: Path
) -> None:
    name = {"mysql": "mariadb"}.get(target.dialect, target.dialect)
    with opened(new_database("postgresql" if name == "sqlite" else "sqlite", request, tmp_path)) as source:
        create_schema(source)
        archive = back_up(source, tmp_path, now=NOW, tool="a test")
    restore(target, archive.path, replace=False)
    with opened(new_database(name, request, tmp_path)) as built:
        create_schema(built)
        assert statements_of(target) == statements_of(built)


ODD = ["", " ", "x ", "line\nbreak", "\\N", "\\.", "'\"`%s", "é漢字🙂", "NULL", "%", "x" * 300_000]


def test_odd_values_come_over(database: Database, target: Database, tmp_path: Path) -> None:
    numbers = [0.1, 5e-324, 1.7976931348623157e308, -1 / 3]
    with database.write() as connection:
        add_run(connection)
        connection.execute(
            insert(schema.experiment_tags),
            [{"key": f"k{i}", "value": value, "experiment_id": 7} for i, value in enumerate([*ODD, None])],
        )
        connection.execute(
            insert(schema.metrics),
            [
                {
                    "key": "m",
                    "value": value,
                    "timestamp": 2**63 - 1,
                    "step": -(2**63) + i,
                    "run_uuid": "r",
                    "is_nan": i < 2,
                }
                for i, value in enumerate(numbers)
            ],
        )
    restore(target, back_up(database, tmp_path, now=NOW, tool="a test").path, replace=False)
    assert contents(target) == contents(database)


def test_a_used_database_is_replaced_by_an_archive_of_another_engine(database: Database, tmp_path: Path) -> None:
    with opened(f"sqlite:///{copy_golden(tmp_path / 'golden.db')}") as source:
        archive = back_up(source, tmp_path, now=NOW, tool="a test")
    with database.write() as connection:
        add_run(connection)
    before = contents(database)
    with pytest.raises(RestoreFailed, match="not empty"):
        restore(database, archive.path, replace=False)
    assert contents(database) == before
    restore(database, archive.path, replace=True)
    assert {table.name: table for table in archive.manifest.tables}.items() <= contents(database).items()


# What does not fit


@pytest.fixture
def loose(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """A database of SQLite, which holds what others do not."""
    path = tmp_path / "loose.db"
    path.write_bytes(sqlite_template.read_bytes())
    with opened(f"sqlite:///{path}") as database:
        with database.write() as connection:
            add_run(connection)
        yield database


def refused(source: Database, target: Database, folder: Path) -> str:
    """The message. Nothing is in the target, not even a table."""
    archive = back_up(source, folder, now=NOW, tool="a test")
    with pytest.raises(RestoreFailed, match="nothing was written") as raised:
        restore(target, archive.path, replace=False)
    assert contents(target) == {}
    return raised.value.message


@pytest.fixture(params=["postgresql", "mariadb"])
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(new_database(str(request.param), request, tmp_path)) as database:
        yield database


def test_what_does_not_fit_is_named_by_table_row_column_and_limit(
    loose: Database, strict: Database, tmp_path: Path
) -> None:
    with loose.write() as connection:
        for statement in (
            "INSERT INTO experiments (experiment_id, name, workspace) VALUES (3000000000, 'large', 'default')",
            f"INSERT INTO params (key, value, run_uuid) VALUES ('long', '{'x' * 8001}', 'r')",
            "INSERT INTO tags (key, value, run_uuid) VALUES ('blob', x'00ff', 'r')",
            "INSERT INTO metrics (key, value, timestamp, step, run_uuid, is_nan) VALUES ('m', 'text', 1, 1, 'r', 0)",
            "UPDATE runs SET start_time = 1.5",
        ):
            connection.exec_driver_sql(statement)
    message = refused(loose, strict, tmp_path)
    assert message.startswith(f"5 values do not fit into {strict.dialect}")
    assert "experiments [experiment_id=3000000000] experiment_id: 3000000000 is no integer of 32 bits" in message
    assert "params [key='long', run_uuid='r'] value: it has 8001 characters, of at most 8000" in message
    assert "tags [key='blob', run_uuid='r'] value: b'\\x00\\xff' is no text" in message
    assert "value: 'text' is no number" in message
    assert "runs [run_uuid='r'] start_time: 1.5 is no integer" in message


def test_the_first_twenty_are_told_and_all_are_counted(loose: Database, strict: Database, tmp_path: Path) -> None:
    with loose.write() as connection:
        connection.execute(
            insert(schema.params), [{"key": f"k{i:03}", "value": "x" * 8001, "run_uuid": "r"} for i in range(45)]
        )
    message = refused(loose, strict, tmp_path)
    assert message.startswith("45 values do not fit")
    assert "The first 20 are:" in message
    assert message.count("\n") == 20


def test_postgresql_has_no_nul(loose: Database, postgresql: PostgreSql, tmp_path: Path) -> None:
    with loose.write() as connection:
        connection.execute(insert(schema.tags).values(key="nul", value="a\0b", run_uuid="r"))
    with opened(postgresql.create_database(f"nul_{time.monotonic_ns()}")) as target:
        assert "tags [key='nul', run_uuid='r'] value: it has the character NUL" in refused(loose, target, tmp_path)


@pytest.fixture
def on_postgresql(postgresql: PostgreSql, postgresql_template: str) -> Iterator[Database]:
    with opened(postgresql.create_database(f"floats_{time.monotonic_ns()}", postgresql_template)) as database:
        with database.write() as connection:
            add_run(connection)
        yield database


def add_metric(database: Database, value: float) -> None:
    with database.write() as connection:
        row = {"key": "m", "value": value, "timestamp": 1, "step": 1, "run_uuid": "r", "is_nan": False}
        connection.execute(insert(schema.metrics).values(row))


def test_sqlite_has_no_nan(on_postgresql: Database, tmp_path: Path) -> None:
    add_metric(on_postgresql, math.nan)
    archive = back_up(on_postgresql, tmp_path, now=NOW, tool="a test")
    with opened(f"sqlite:///{tmp_path / 'target.db'}") as target:
        with pytest.raises(RestoreFailed, match="nan would become NULL in SQLite"):
            restore(target, archive.path, replace=False)
        assert not (tmp_path / "target.db").exists()


@pytest.mark.parametrize("name", ENGINES)
def test_minus_zero_becomes_zero_where_there_is_none_and_is_counted(
    name: str, on_postgresql: Database, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    add_metric(on_postgresql, -0.0)
    archive = back_up(on_postgresql, tmp_path, now=NOW, tool="a test")
    with opened(new_database(name, request, tmp_path)) as target:
        restored = restore(target, archive.path, replace=False)
        with target.read() as connection:
            value = connection.scalar(select(schema.metrics.c.value))
    assert str(value) == ("-0.0" if name == "postgresql" else "0.0")
    assert restored.negative_zeros == (name != "postgresql")


@pytest.fixture
def on_mariadb(mariadb: MariaDb) -> Iterator[Database]:
    with opened(mariadb.create_database(f"crossing_{time.monotonic_ns()}")) as database:
        yield database


def test_mariadb_has_no_infinity(loose: Database, on_mariadb: Database, tmp_path: Path) -> None:
    with loose.write() as connection:
        rows = [
            {"key": "m", "value": value, "timestamp": 1, "step": 1, "run_uuid": "r", "is_nan": False}
            for value in (math.inf, -math.inf)
        ]
        connection.execute(insert(schema.metrics), rows)
    message = refused(loose, on_mariadb, tmp_path)
    assert "2 values do not fit" in message
    assert "value: -inf is a number that MySQL and MariaDB do not have" in message


SAME = [["Loss", "loss"], ["loss", "loss "], ["é", "e"], ["straße", "strase"]]


@pytest.mark.parametrize("keys", SAME)
def test_mariadb_what_its_collation_holds_to_be_the_same_is_refused(
    keys: list[str], loose: Database, on_mariadb: Database, tmp_path: Path
) -> None:
    with loose.write() as connection:
        connection.execute(insert(schema.params), [{"key": key, "value": "v", "run_uuid": "r"} for key in keys])
    message = refused(loose, on_mariadb, tmp_path)
    assert "1 values do not fit" in message
    assert f"params [key={keys[1]!r}, run_uuid='r'] key, run_uuid: the collation utf8mb4_general_ci holds it" in message
    assert f"the same as [key={keys[0]!r}, run_uuid='r']" in message
    assert "COLLATE utf8mb4_nopad_bin" in message


def test_mariadb_a_collation_that_tells_them_apart_takes_them(
    loose: Database, on_mariadb: Database, tmp_path: Path
) -> None:
    with loose.write() as connection:
        rows = [{"key": key, "value": "v", "run_uuid": "r"} for key in {key for keys in SAME for key in keys}]
        connection.execute(insert(schema.params), rows)
    with on_mariadb.write() as connection:
        name = on_mariadb.url.url.database
        connection.exec_driver_sql(f"ALTER DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
    on_mariadb.dispose()
    restore(on_mariadb, back_up(loose, tmp_path, now=NOW, tool="a test").path, replace=False)
    assert contents(on_mariadb) == contents(loose)


def test_mariadb_another_character_set_is_refused(loose: Database, on_mariadb: Database, tmp_path: Path) -> None:
    with on_mariadb.write() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE `{on_mariadb.url.url.database}` CHARACTER SET latin1")
    on_mariadb.dispose()
    archive = back_up(loose, tmp_path, now=NOW, tool="a test")
    with pytest.raises(RestoreFailed, match="character set latin1"):
        restore(on_mariadb, archive.path, replace=False)


def test_rows_that_refer_to_none_are_refused(loose: Database, strict: Database, tmp_path: Path) -> None:
    with loose.write() as connection:
        connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
    with loose.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        for statement in (
            "PRAGMA foreign_keys = OFF",
            "INSERT INTO tags (key, value, run_uuid) VALUES ('k', 'v', 'gone')",
        ):
            raw.cursor().execute(statement)
        connection.invalidate()
    archive = back_up(loose, tmp_path, now=NOW, tool="a test")
    with pytest.raises(RestoreFailed, match="gone"):
        restore(strict, archive.path, replace=False)
    assert contents(strict) == {}


def test_an_archive_of_an_older_schema_stays_with_its_engine(strict: Database, tmp_path: Path) -> None:
    with opened(f"sqlite:///{copy_golden(tmp_path / 'golden.db')}") as source:
        with source.write() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'cbc13b556ace'")
        archive = back_up(source, tmp_path, now=NOW, tool="a test")
    with pytest.raises(RestoreFailed, match=r"schema cbc13b556ace of MLflow.*trackplane db upgrade"):
        restore(strict, archive.path, replace=False)


def test_tables_of_others_are_left_behind_and_named(strict: Database, tmp_path: Path) -> None:
    with opened(f"sqlite:///{copy_golden(tmp_path / 'golden.db')}") as source:
        with source.write() as connection:
            connection.exec_driver_sql("CREATE TABLE notes (note)")
            connection.exec_driver_sql("INSERT INTO notes VALUES ('a')")
        archive = back_up(source, tmp_path, now=NOW, tool="a test")
    assert restore(strict, archive.path, replace=False).left_behind == ("notes",)


# A copy, without a file


def test_a_database_is_copied_into_an_empty_one(database: Database, target: Database, tmp_path: Path) -> None:
    fill_with_golden(database, tmp_path)
    before = contents(database)
    source_file, report = tmp_path / "source", tmp_path / "report"
    source_file.write_text(database.url.url.render_as_string(hide_password=False))
    command = ["copy", "--source-uri-file", str(source_file), "--report-file", str(report)]
    environ = {"TRACKPLANE_COPY_TARGET": target.url.url.render_as_string(hide_password=False)}
    done = CliRunner().invoke(db, command, env=environ)
    assert done.exit_code == 0, done.output
    told = json.loads(report.read_text())
    assert told["dialect"] == {"from": database.dialect, "to": target.dialect}
    assert told["rows"] >= 200
    assert contents(target) == before == contents(database)
    again = CliRunner().invoke(db, command, env=environ)
    assert again.exit_code == 16
    assert "not empty" in json.loads(report.read_text())["message"]


def test_a_copy_needs_both_databases(tmp_path: Path) -> None:
    assert CliRunner().invoke(db, ["copy", "sqlite:///a.db"]).exit_code == 2
    absent = CliRunner().invoke(db, ["copy", f"sqlite:///{tmp_path / 'absent.db'}", f"sqlite:///{tmp_path / 'b.db'}"])
    assert absent.exit_code == 16
    assert list(tmp_path.iterdir()) == []
