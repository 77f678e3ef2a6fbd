"""Two servers to compare, ours and MLflow's own. Each starts once. A plugin of pytest (`tests/conftest.py`).

A test does the same to both: the ids that they count up, such as those of experiments, stay equal.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import mlflow_server
from tests.support.parity.servers import Pair
from tests.support.server import live_server


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """In which they work."""
    return tmp_path_factory.mktemp("trackplane"), tmp_path_factory.mktemp("mlflow")


@pytest.fixture(scope="session")
def ours(folders: tuple[Path, Path]) -> Iterator[str]:
    with live_server(folders[0], environ={"MLFLOW_WORKERS": "2"}) as server:
        yield server.url


@pytest.fixture(scope="session")
def theirs(folders: tuple[Path, Path]) -> Iterator[str]:
    with mlflow_server(folders[1]) as url:
        yield url


@pytest.fixture(scope="session")
def pair(ours: str, theirs: str, folders: tuple[Path, Path]) -> Iterator[Pair]:
    opened = Pair(ours, theirs, (str(folders[0]), str(folders[1])))
    yield opened
    opened.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist, one worker runs all that needs MLflow's server: it takes long to start and half a gigabyte."""
    for item in items:
        if "theirs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("mlflow-server"))
