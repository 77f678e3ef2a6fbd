"""A server with its defaults, for tests that mind neither what others logged to it nor its options."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import LiveServer, live_server


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it works. Its temporary files, if there are any, are in `tmp`."""
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[LiveServer]:
    (folder / "tmp").mkdir()
    with live_server(folder, environ={"TMPDIR": str(folder / "tmp"), "HOME": "/nonexistent"}) as running:
        yield running
