"""What MLflow itself makes of a folder, and of one that we wrote."""

import subprocess
from pathlib import Path

import pytest

from tests.support.client import environment, last_line, run_script
from tests.support.databases import opened
from tests.support.environments import client_python
from tests.support.file_stores import comparable, golden_as_sql_has_it, rows_of, unpack_golden
from tests.support.server import live_server
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.filestore.exporting import ExportOptions, export_folder
from tracking_server.filestore.importing import import_folder
from tracking_server.filestore.target import Options

SCRIPT = Path(__file__).parents[1] / "client" / "scripts" / "file_store.py"
FILE_STORE = {"MLFLOW_ALLOW_FILE_STORE": "true"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return unpack_golden(tmp_path)


def test_the_client_reads_from_our_server_what_it_read_from_the_folder(folder: Path, tmp_path: Path) -> None:
    with live_server(tmp_path, "--backend-store-uri", "./mlruns") as server:
        read = last_line(run_script(SCRIPT, server.url, home=tmp_path))
    assert comparable(read) == golden_as_sql_has_it()
    assert (folder.parent / "mlruns.db").exists()


def test_an_import_has_the_rows_of_mlflows_own_migration(folder: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.db"
    done = subprocess.run(
        [client_python().parent / "mlflow", "migrate-filestore", f"--source={folder}", f"--target=sqlite:///{theirs}"],
        check=False,
        capture_output=True,
        text=True,
        env={**environment(tmp_path), **FILE_STORE},
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with opened(f"sqlite:///{tmp_path / 'ours.db'}") as ours, opened(f"sqlite:///{theirs}") as other:
        upgrade(other)
        import_folder(ours, folder, Options())
        assert rows_of(ours) == rows_of(other)


def test_mlflows_file_store_reads_an_export(folder: Path, tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'ours.db'}") as database:
        import_folder(database, folder, Options())
        export_folder(database, tmp_path / "exported", ExportOptions())
    read = last_line(run_script(SCRIPT, str(tmp_path / "exported"), home=tmp_path, environ=FILE_STORE))
    assert comparable(read) == golden_as_sql_has_it()
