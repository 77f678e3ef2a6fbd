"""Two servers for the tests of the client: ours, and MLflow's own to compare with. Each starts once."""

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With pytest-xdist, one worker runs all that needs MLflow's server: it takes long to start and half a gigabyte."""
    for item in items:
        if "theirs" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("mlflow-server"))
