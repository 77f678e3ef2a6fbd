"""Two servers to compare, ours and MLflow's own. Each starts once. A plugin of pytest (`tests/conftest.py`).

A test does the same to both: the ids that they count up, such as those of experiments, stay equal.
"""

from collections.abc import Iterator

import pytest

from tests.support.client import mlflow_server
from tests.support.server import live_server


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with live_server(tmp_path_factory.mktemp("trackplane"), environ={"MLFLOW_WORKERS": "2"}) as server:
        yield server.url


@pytest.fixture(scope="session")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist, one worker runs all that needs MLflow's server: it takes long to start and half a gigabyte."""
    for item in items:
        if "theirs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("mlflow-server"))
