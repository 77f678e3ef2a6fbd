"""Some seconds of what `make fuzz` does for minutes."""

from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.fuzzing.fuzzer import Fuzzer
from tests.support.fuzzing.smuggling import SHAPES
from tests.support.server import LiveServer, live_server

STEPS = 24
"""Requests to each path: a number and no time, so that every run sends the same."""


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Generator[LiveServer]:
    environ = {"MLFLOW_BACKEND_STORE_URI": database_url, "MLFLOW_LOGGING_LEVEL": "WARNING"}
    with live_server(tmp_path, environ=environ) as running:
        yield running


def test_garbage_on_every_route_is_refused_politely_and_changes_nothing(server: LiveServer) -> None:
    with closing(Fuzzer(server.port, seed=1)) as fuzzer:
        for _ in range(STEPS):
            fuzzer.step()
        fuzzer.look_back(server.log)
    assert not fuzzer.tally.findings, "\n".join(map(str, fuzzer.tally.findings[:5]))


def test_no_request_is_smuggled_behind_another(server: LiveServer) -> None:
    with closing(Fuzzer(server.port, seed=1)) as fuzzer:
        fuzzer.smuggle()
    assert not fuzzer.tally.findings, "\n".join(map(str, fuzzer.tally.findings[:5]))
    assert len(SHAPES) > 20
