"""A database and files that MLflow's server wrote, served by ours: the client reads the same."""

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import environment, free_port, last_line, run_script, server
from tests.support.golden import ARTIFACTS, copy_golden, read_by_mlflow
from tests.support.parity import assert_same

SCRIPT = Path(__file__).with_name("scripts") / "golden.py"


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("adopted")
    port = free_port()
    with tarfile.open(ARTIFACTS) as archive:
        archive.extractall(folder, filter="data")
    command = [
        str(Path(sys.prefix) / "bin" / "trackplane"),
        "server",
        f"--backend-store-uri=sqlite:///{copy_golden(folder / 'mlflow.db')}",
        f"--artifacts-destination={folder / 'artifacts'}",
        f"--port={port}",
    ]
    with server(command, f"http://127.0.0.1:{port}", folder, environment(folder)) as url:
        yield url


def test_the_client_reads_what_it_read_from_mlflows_server(adopted: str, tmp_path: Path) -> None:
    assert_same(last_line(run_script(SCRIPT, adopted, home=tmp_path)), read_by_mlflow())
