import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text, update

from tests.support.children import start_child, wait_for
from tests.support.databases import PostgreSql, opened
from tests.support.golden import FILE, copy_golden
from tests.support.pooler import running_pooler
from tracking_server.__main__ import COMMANDS, main
from tracking_server.commands.report import LIMIT_BYTES
from tracking_server.database import schema
from tracking_server.database.lock import migration_lock, serving_lock, who_serves
from tracking_server.database.migrations.mlflow import HEAD, releases
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database


@pytest.fixture
def golden_url(tmp_path: Path) -> str:
    return f"sqlite:///{copy_golden(tmp_path / 'golden.db')}"


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["db", *arguments], env={"MLFLOW_BACKEND_STORE_URI": None, **environment})


def test_check_of_an_empty_database(empty_database_url: str, engine_name: str, tmp_path: Path) -> None:
    result = run("check", "--json", empty_database_url)
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["state"] == "Empty"
    assert report["dialect"] == {"mariadb": "mysql"}.get(engine_name, engine_name)
    assert report["migration_needed"] is True
    assert report["additive"] is True
    assert [(step["lineage"], step["revision"]) for step in report["steps"]] == [
        ("mlflow", HEAD),
        ("trackplane", "0001"),
        ("trackplane", "0002"),
        ("trackplane", "0003"),
    ]
    assert list(tmp_path.iterdir()) == []  # a look makes no file


def test_check_of_a_database_at_the_heads(database_url: str) -> None:
    report = json.loads(run("check", "--json", database_url).stdout)
    assert report["state"] == "Current"
    assert report["migration_needed"] is False
    assert report["steps"] == []
    assert report["size_bytes"] > 0
    assert report["mlflow"] == {"current": HEAD, "head": HEAD}
    assert report["trackplane"] == {"current": "0003", "head": "0003"}


def test_check_of_a_database_of_mlflow_finds_what_adds_and_touches_nothing(golden_url: str, tmp_path: Path) -> None:
    report_file = tmp_path / "report"
    result = run("check", golden_url, TRACKPLANE_REPORT_FILE=str(report_file))
    assert result.exit_code == 0
    assert "trackplane db upgrade" in result.stdout
    report = json.loads(report_file.read_bytes())
    assert report | {"message": "", "steps": []} == {
        "ok": True,
        "command": "db check",
        "dialect": "sqlite",
        "state": "Outdated",
        "mlflow": {"current": HEAD, "head": HEAD},
        "trackplane": {"current": None, "head": "0003"},
        "migration_needed": True,
        "additive": True,
        "steps": [],
        "size_bytes": FILE.stat().st_size,
        "rewrites": [],
        "estimate": {
            "seconds": 0,
            "basis": "about 0 rows to copy, each as often as its table is copied, at 150000 rows a second",
        },
        "message": "",
    }
    assert (tmp_path / "golden.db").read_bytes() == FILE.read_bytes()


@pytest.mark.parametrize(("revision", "state"), [("f4a9b2c7d1e6", "Newer")])
def test_check_reports_what_it_cannot_serve(database_url: str, revision: str, state: str) -> None:
    with opened(database_url) as database, database.write() as connection:
        connection.execute(update(schema.alembic_version).values(version_num=revision))
    result = run("check", "--json", database_url)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["ok"], report["state"]) == (0, True, state)
    assert revision in report["message"]


def test_check_of_an_older_database_tells_what_is_copied_and_how_long_that_may_take(
    database_url: str, engine_name: str, tmp_path: Path
) -> None:
    with opened(database_url) as database, database.write() as connection:
        connection.execute(update(schema.alembic_version).values(version_num="451aebb31d03"))
        connection.execute(insert(schema.experiments).values(name="a"))
        if engine_name != "mariadb":
            connection.execute(text("ANALYZE"))
    report_file = tmp_path / "report"
    result = run("check", database_url, "--report-file", str(report_file))
    encoded = report_file.read_bytes()
    report = json.loads(encoded)
    assert result.exit_code == 0
    assert len(encoded) <= LIMIT_BYTES
    assert (report["ok"], report["state"], report["additive"]) == (True, "Outdated", False)
    assert report["steps_total"] == 66
    assert "trackplane db upgrade" in report["message"]
    copied = {each["table"]: each for each in report["rewrites"]}
    assert {"metrics", "spans"} <= copied.keys() if engine_name != "postgresql" else {"runs", "spans"} <= copied.keys()
    assert copied["spans"]["rows"] == 0
    assert report["estimate"]["seconds"] == 0
    assert "rows a second" in report["estimate"]["basis"]
    assert "copies" in result.stdout


def test_a_dry_run_of_an_upgrade_changes_nothing(golden_url: str, tmp_path: Path) -> None:
    report = json.loads(run("upgrade", "--dry-run", "--json", golden_url).stdout)
    assert (report["dry_run"], report["steps"]) == (True, ["trackplane:0001", "trackplane:0002", "trackplane:0003"])
    told = run("upgrade", "--dry-run", "--to", "0001", golden_url).stdout
    assert "trackplane 0001" in told
    assert "trackplane 0002" not in told
    assert "Nothing was changed" in told
    assert (tmp_path / "golden.db").read_bytes() == FILE.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["golden.db"]


def test_an_upgrade_stops_where_it_is_told(empty_database_url: str) -> None:
    assert json.loads(run("upgrade", "--to", HEAD, "--json", empty_database_url).stdout)["steps"] == [f"mlflow:{HEAD}"]
    report = json.loads(run("upgrade", "--to", "0001", "--json", empty_database_url).stdout)
    assert (report["steps"], report["to"]) == (["trackplane:0001"], {"mlflow": HEAD, "trackplane": "0001"})
    report = json.loads(run("upgrade", "--to", "acf3f17fdcc7", "--json", empty_database_url).stdout)
    assert report["reason"] == "ConfigInvalid"
    assert "lies behind" in report["message"]
    assert json.loads(run("upgrade", "--json", empty_database_url).stdout)["steps"] == [
        "trackplane:0002",
        "trackplane:0003",
    ]


def test_an_upgrade_through_a_pooler_of_transactions_is_refused(postgresql: PostgreSql) -> None:
    postgresql.create_database("pooled_upgrade")
    with running_pooler(postgresql.socket_folder, "pooled_upgrade", is_per_transaction=True) as url:
        for arguments in (("upgrade",), ("upgrade", "--dry-run")):
            result = run(*arguments, "--json", url)
            assert result.exit_code == 10
            assert "pooler" in json.loads(result.stdout)["message"]


def test_the_history_of_both_lineages() -> None:
    report = json.loads(run("history", "--json").stdout)
    assert [each["revision"] for each in report["mlflow"]] == list(releases())
    assert report["mlflow"][0] == {"revision": "451aebb31d03", "release": "1.0.0"}
    assert [each["revision"] for each in report["trackplane"]] == ["0001", "0002", "0003"]
    assert f"mlflow {HEAD} (MLflow 3.17.0)" in run("history").stdout


class TestStamp:
    def test_a_lost_record_is_written_again(self, database_url: str) -> None:
        with opened(database_url) as database, database.write() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
            connection.execute(text("DELETE FROM alembic_version_trackplane"))
        for revision in (HEAD, "0003"):
            result = run("stamp", revision, database_url, "--json")
            assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["to"] == {"mlflow": HEAD, "trackplane": "0003"}
        assert json.loads(run("check", "--json", database_url).stdout)["state"] == "Current"

    @pytest.mark.parametrize(
        ("revision", "ruin", "said"),
        [
            pytest.param("acf3f17fdcc7", None, "of a later revision", id="an older one"),
            pytest.param("0001", None, "of a later revision", id="an older one of ours"),
            pytest.param(HEAD, "ALTER TABLE jobs DROP COLUMN progress", "lacks jobs.progress", id="a lost column"),
            pytest.param(HEAD, "DROP TABLE job_locks", "lacks job_locks.", id="a lost table"),
            pytest.param("0003", "DROP TABLE trackplane_gc_claims", "lacks trackplane_gc_claims", id="a table of ours"),
        ],
    )
    def test_a_schema_of_another_revision_is_refused_unless_forced(
        self, database_url: str, revision: str, ruin: str | None, said: str
    ) -> None:
        if ruin is not None:
            with opened(database_url) as database, database.write() as connection:
                connection.execute(text(ruin))
        before = run("current", database_url).stdout
        result = run("stamp", revision, database_url, "--json")
        assert result.exit_code == 13
        assert said in json.loads(result.stdout)["message"]
        assert run("current", database_url).stdout == before
        forced = run("stamp", revision, database_url, "--json", "--force")
        assert forced.exit_code == 0
        assert said in json.loads(forced.stdout)["forced_although"]
        assert revision in run("current", database_url).stdout

    def test_one_that_nobody_knows_is_refused(self, golden_url: str) -> None:
        result = run("stamp", "f4a9b2c7d1e6", golden_url, "--json")
        assert (result.exit_code, json.loads(result.stdout)["reason"]) == (10, "ConfigInvalid")

    def test_an_empty_database_and_a_foreign_one_are_refused(self, empty_database_url: str) -> None:
        assert run("stamp", HEAD, empty_database_url).exit_code == 13
        with opened(empty_database_url) as database, database.write() as connection:
            connection.execute(text("CREATE TABLE customers (name TEXT)"))
        assert "lacks" in run("stamp", HEAD, empty_database_url).stderr

    def test_it_waits_for_a_migration(self, database_url: str) -> None:
        with opened(database_url) as database, migration_lock(database, wait_seconds=0):
            assert run("stamp", HEAD, database_url, "--wait", "0.2").exit_code == 12


class TestUriFile:
    @pytest.mark.parametrize("command", ["check", "upgrade", "current"])
    def test_it_stands_in_for_the_url(self, golden_url: str, tmp_path: Path, command: str) -> None:
        file = tmp_path / "uri"
        file.write_text(f"{golden_url}\n")
        assert run(command, "--database-uri-file", str(file)).exit_code == 0
        assert run(command, TRACKPLANE_DATABASE_URI_FILE=str(file)).exit_code == 0
        twice = run(command, "--json", golden_url, "--database-uri-file", str(file))
        assert (twice.exit_code, json.loads(twice.stdout)["reason"]) == (10, "ConfigInvalid")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "cannot be read: No such file"),
            (b"", "must have one line"),
            (b"\xff", "must have one line"),
            (b"postgresql://u:s3cret@h/d\nmore", "must have one line"),
            (b"postgresql//u:s3cret@h/d", "no scheme"),
        ],
    )
    def test_one_that_is_no_use_is_reported(self, tmp_path: Path, content: bytes | None, said: str) -> None:
        file, report_file = tmp_path / "uri", tmp_path / "report"
        if content is not None:
            file.write_bytes(content)
        result = run("check", "--database-uri-file", str(file), "--report-file", str(report_file))
        assert result.exit_code == 10
        report = json.loads(report_file.read_bytes())
        assert (report["command"], report["reason"]) == ("db check", "ConfigInvalid")
        assert said in report["message"]
        assert "s3cret" not in result.output + report_file.read_text()


def test_upgrade_reports_what_it_did(golden_url: str, tmp_path: Path) -> None:
    report_file = tmp_path / "report"
    result = run("upgrade", MLFLOW_BACKEND_STORE_URI=golden_url, TRACKPLANE_REPORT_FILE=str(report_file))
    assert result.exit_code == 0
    report = json.loads(report_file.read_bytes())
    assert report.pop("seconds") > 0
    assert report == {
        "ok": True,
        "command": "db upgrade",
        "from": {"mlflow": HEAD, "trackplane": None},
        "to": {"mlflow": HEAD, "trackplane": "0003"},
        "steps": ["trackplane:0001", "trackplane:0002", "trackplane:0003"],
    }
    assert json.loads(run("upgrade", "--json", golden_url).stdout)["steps"] == []


def test_upgrade_names_the_servers_that_are_connected(empty_database_url: str) -> None:
    with opened(empty_database_url) as database, serving_lock(database):
        (name,) = who_serves(database)
        result = run("upgrade", "--json", empty_database_url)
    report = json.loads(result.stdout)
    assert report["ok"] is True
    assert report["serving"] == [name]


@pytest.mark.parametrize("engine_name", ["postgresql", "mariadb"])
def test_upgrade_names_others_that_are_connected(empty_database: Database, empty_database_url: str) -> None:
    """A server of MLflow, say, which takes no lock of ours."""
    with empty_database.engine.connect() as connection:
        if empty_database.dialect == "postgresql":
            connection.execute(text("SET application_name = 'mlflow'"))
            connection.commit()
        result = run("upgrade", "--json", empty_database_url)
    (named,) = json.loads(result.stdout)["connected"]
    assert named == (
        "mlflow of trackplane" if empty_database.dialect == "postgresql" else "a session of root from localhost"
    )
    assert f"Others are connected, and not waited for: {named}" in result.stderr


def test_upgrade_ends_when_another_takes_too_long(empty_database_url: str) -> None:
    with opened(empty_database_url) as database, migration_lock(database, wait_seconds=0):
        result = run("upgrade", "--wait", "0.2", "--json", empty_database_url)
    assert result.exit_code == 12
    assert json.loads(result.stdout)["reason"] == "LockBusy"


def test_upgrade_refuses_another_program(empty_database_url: str) -> None:
    with opened(empty_database_url) as database, database.write() as connection:
        connection.execute(text("CREATE TABLE customers (name TEXT)"))
    result = run("upgrade", "--json", empty_database_url)
    assert result.exit_code == 13
    assert "customers" in json.loads(result.stdout)["message"]


def test_current_prints_both_lineages(golden_url: str) -> None:
    assert run("current", golden_url).stdout == f"mlflow {HEAD} (head)\ntrackplane none (head is 0003)\n"


@pytest.mark.parametrize("command", ["check", "upgrade", "current"])
def test_a_database_that_does_not_answer_is_unreachable(command: str, tmp_path: Path) -> None:
    report_file = tmp_path / "report"
    url = f"postgresql://me:s3cret@/d?host={tmp_path}"
    result = run(command, MLFLOW_BACKEND_STORE_URI=url, TRACKPLANE_REPORT_FILE=str(report_file))
    assert result.exit_code == 11
    assert json.loads(report_file.read_bytes())["reason"] == "DatabaseUnreachable"
    assert "s3cret" not in result.output + report_file.read_text()


@pytest.mark.parametrize("command", ["check", "upgrade", "current"])
def test_a_url_that_cannot_work_is_a_wrong_configuration(command: str) -> None:
    result = run(command, "--json", "oracle://me:s3cret@host/d")
    assert result.exit_code == 10
    assert json.loads(result.stdout)["reason"] == "ConfigInvalid"
    assert "s3cret" not in result.output


def test_no_url_at_all_is_a_usage_error() -> None:
    assert run("check").exit_code == 2


def test_rows_written_meanwhile_are_kept(golden_url: str) -> None:
    """A server that goes on writing while an upgrade works."""
    with opened(golden_url) as database:

        def write() -> None:
            for number in range(50):
                with database.write() as connection:
                    connection.execute(insert(schema.experiments).values(name=f"meanwhile {number}"))

        child = start_child(write)
        upgrade(database)
        assert wait_for(child) == 0
        with database.read() as connection:
            assert connection.scalar(text("SELECT count(*) FROM experiments")) == 54


def test_the_command_line_starts_without_the_database(tmp_path: Path) -> None:
    program = (
        "import sys; from tracking_server.__main__ import main;"
        "main(['--help'], standalone_mode=False); sys.exit('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name, lazy in COMMANDS.items():
        assert f"  {name}" in done.stdout
        assert lazy.summary in done.stdout
        assert main.get_command(click.Context(main), name) is not None


@pytest.mark.parametrize("command", ["check", "upgrade", "current"])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, command: str) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and long enough to be looked at" * 10)
    before = file.read_bytes()
    result = run(command, f"sqlite:///{file}")
    assert result.exit_code == 13
    assert f"{file} cannot be read as a database of SQLite: file is not a database" in result.stderr
    assert "Traceback" not in result.stderr
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", ["check", "upgrade", "current"])
def test_a_database_of_something_else_keeps_every_byte(tmp_path: Path, command: str) -> None:
    file = tmp_path / "invoices.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE invoices (id INTEGER)")
    connection.close()
    before = file.read_bytes()
    assert run(command, f"sqlite:///{file}").exit_code == (13 if command == "upgrade" else 0)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
