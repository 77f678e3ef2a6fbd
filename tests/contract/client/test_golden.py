"""A database and files that MLflow's server wrote, served by ours: the client reads the same."""

import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import last_line, run_script
from tests.support.golden import ARTIFACTS, copy_golden, read_by_mlflow
from tests.support.parity.answers import assert_same
from tests.support.server import live_server

SCRIPT = Path(__file__).with_name("scripts") / "golden.py"


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("adopted")
    with tarfile.open(ARTIFACTS) as archive:
        archive.extractall(folder, filter="data")
    database = f"--backend-store-uri=sqlite:///{copy_golden(folder / 'mlflow.db')}"
    with live_server(folder, database, f"--artifacts-destination={folder / 'artifacts'}") as server:
        yield server.url


def test_the_client_reads_what_it_read_from_mlflows_server(adopted: str, tmp_path: Path) -> None:
    assert_same(last_line(run_script(SCRIPT, adopted, home=tmp_path)), read_by_mlflow())
