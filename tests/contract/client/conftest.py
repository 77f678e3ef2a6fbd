"""Two servers for the tests of the client: ours, and MLflow's own to compare with. Each starts once."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import environment, free_port, mlflow_server, server


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("trackplane")
    port = free_port()
    command = [str(Path(sys.prefix) / "bin" / "trackplane"), "server", f"--port={port}"]
    with server(command, f"http://127.0.0.1:{port}", folder, environment(folder)) as url:
        yield url


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist, one worker runs all that needs MLflow's server: it takes long to start and half a gigabyte."""
    for item in items:
        if "theirs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("mlflow-server"))
