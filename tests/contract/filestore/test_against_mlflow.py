"""What MLflow itself makes of a folder, and of one that we wrote."""

import subprocess
from pathlib import Path

import pytest

from tests.support.client import environment, last_line, run_script
from tests.support.databases import opened
from tests.support.environments import client_python
from tests.support.file_stores import add_old_trace, bring, comparable, golden_as_sql_has_it, rows_of, unpack_golden
from tests.support.server import live_server
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.filestore.exporting import ExportOptions, export_folder
from tracking_server.filestore.importing import import_folder
from tracking_server.filestore.target import Options

SCRIPTS = Path(__file__).parents[1] / "client" / "scripts"
SCRIPT, TRACES = SCRIPTS / "file_store.py", SCRIPTS / "traces.py"
FILE_STORE = {"MLFLOW_ALLOW_FILE_STORE": "true", "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}


def migrated_by_mlflow(folder: Path, home: Path) -> Path:
    target = home / "theirs.db"
    done = subprocess.run(
        [client_python().parent / "mlflow", "migrate-filestore", f"--source={folder}", f"--target=sqlite:///{target}"],
        check=False,
        capture_output=True,
        text=True,
        env={**environment(home), **FILE_STORE},
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack_golden(tmp_path)


def test_the_client_reads_from_our_server_what_it_read_from_the_folder(folder: Path, tmp_path: Path) -> None:
    with live_server(tmp_path, "--backend-store-uri", "./mlruns") as server:
        read = last_line(run_script(SCRIPT, server.url, home=tmp_path))
    assert comparable(read) == golden_as_sql_has_it()
    assert (folder.parent / "mlruns.db").exists()


def test_an_import_has_the_rows_of_mlflows_own_migration(folder: Path, tmp_path: Path) -> None:
    with (
        opened(f"sqlite:///{tmp_path / 'ours.db'}") as ours,
        opened(f"sqlite:///{migrated_by_mlflow(folder, tmp_path)}") as other,
    ):
        upgrade(other)
        import_folder(ours, folder, Options())
        assert rows_of(ours) == rows_of(other)


def test_mlflows_file_store_reads_an_export(folder: Path, tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ours.db'}") as database:
        import_folder(database, folder, Options())
        export_folder(database, tmp_path / "exported", ExportOptions())
    read = last_line(run_script(SCRIPT, str(tmp_path / "exported"), home=tmp_path, environ=FILE_STORE))
    assert comparable(read) == golden_as_sql_has_it()


def test_mlflow_reads_of_the_database_and_of_an_export_the_traces_that_it_read_from_the_folder(tmp_path: Path) -> None:
    """Those that it writes now, and one as MLflow 2 wrote it. Of its own migration, all but what that loses."""
    folder, ours, exported = tmp_path / "mlruns", f"sqlite:///{tmp_path / 'ours.db'}", tmp_path / "exported"
    run_script(TRACES, str(folder), "--write", home=tmp_path, environ=FILE_STORE)
    (experiment,) = {path.parent for path in folder.glob("*/traces")}
    add_old_trace(experiment)
    with opened(ours) as database:
        assert bring(database, folder).faults.kept == []
        export_folder(database, exported, ExportOptions())
        with opened(f"sqlite:///{migrated_by_mlflow(folder, tmp_path)}") as other:
            upgrade(other)
            rows, others = rows_of(database), rows_of(other)
            tables = ("trace_info", "trace_tags", "trace_request_metadata")
            assert {name: rows[name] for name in tables} == {name: others[name] for name in tables}
            assert len(rows["assessments"]) == len(others["assessments"]) == 5
    of_folder, of_ours, of_export = last_line(
        run_script(TRACES, str(folder), ours, str(exported), home=tmp_path, environ=FILE_STORE)
    )
    assert len(of_folder) == 3
    assert of_folder == of_ours == of_export
