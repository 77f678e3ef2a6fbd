"""A gateway with its defaults in front of a server that answers as each test tells it."""

from collections.abc import Iterator

import pytest

from tests.support.server import LiveServer, live_server
from tests.support.upstreams import ScriptedServer, scripted_server


@pytest.fixture(scope="session")
def behind() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(scope="session")
def gateway(behind: ScriptedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("gateway")
    with live_server(folder, environ={"MLFLOW_BACKEND_STORE_URI": behind.url, "HOME": "/nonexistent"}) as server:
        yield server


@pytest.fixture
def upstream(behind: ScriptedServer) -> ScriptedServer:
    """As if nobody had ever asked it anything."""
    behind.forget()
    return behind
