"""What the tests of folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import opened
from tests.support.file_stores import add_experiment
from tracking_server.database.transactions import Database


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one experiment of no runs."""
    add_experiment(tmp_path / "mlruns", 7, "seven")
    return tmp_path / "mlruns"


@pytest.fixture
def sqlite(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "mlflow.db").write_bytes(sqlite_template.read_bytes())
    with opened(f"sqlite:///{tmp_path / 'mlflow.db'}") as database:
        yield database
