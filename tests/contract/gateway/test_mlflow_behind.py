"""A gateway in front of MLflow's own server, and the unmodified client in front of the gateway."""

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.client import last_line, mlflow_server, run_script
from tests.support.environments import ROOT
from tests.support.http import call, call_json, connection_to, reply_on
from tests.support.processes import peak_memory_of
from tests.support.server import LiveServer, live_server

pytestmark = pytest.mark.xdist_group("mlflow-server")

SCRIPT: Final = ROOT / "tests" / "contract" / "client" / "scripts" / "registered.py"
EXAMPLE: Final = ROOT / "examples" / "train_model.py"
FILE: Final = "/api/2.0/mlflow-artifacts/artifacts/large/file.bin"
MIB: Final = 1024 * 1024
SIZE: Final = 64 * MIB
GROWTH_LIMIT_BYTES: Final = 24 * MIB
"""Far below the file; the first large call of a process alone takes some."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Both:
    gateway: LiveServer
    mlflow: str


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder, home = tmp_path_factory.mktemp("mlflow-behind"), tmp_path_factory.mktemp("gateway")
    with mlflow_server(folder) as url, live_server(home, "--backend-store-uri", url) as gateway:
        yield Both(gateway=gateway, mlflow=url)


def test_the_example_takes_back_what_it_logged_and_its_model_goes_through_the_registry(
    both: Both, tmp_path: Path
) -> None:
    told = last_line(run_script(SCRIPT, both.gateway.url, str(EXAMPLE), home=tmp_path))
    run_id = told.pop("run_id")
    assert told == {
        "aliases": ["best"],
        "tags": {"checked": "yes"},
        "found": ["gateway-line"],
        "versions": 1,
        "predicts": True,
        "gone": "RESOURCE_DOES_NOT_EXIST",
    }
    path = f"/api/2.0/mlflow/runs/get?run_id={run_id}"
    through, directly = (call(url, "GET", path) for url in (both.gateway.url, both.mlflow))
    assert through.status == directly.status == 200
    assert through.body == directly.body
    assert through.json["run"]["info"]["status"] == "FINISHED"


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "/api/2.0/mlflow/runs/get?run_id=none", None),
        ("GET", "/api/2.0/mlflow/runs/get", None),
        ("POST", "/api/2.0/mlflow/experiments/create", {"name": ""}),
        ("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["0"], "filter": "nonsense ="}),
        ("GET", "/api/2.0/mlflow-artifacts/artifacts/none/file", None),
        ("GET", "/version", None),
        ("GET", "/api/3.0/mlflow/server-info", None),
    ],
)
def test_an_answer_is_that_of_the_server_behind(
    both: Both, method: str, path: str, fields: dict[str, Any] | None
) -> None:
    def told(url: str) -> tuple[int, bytes]:
        reply = call(url, method, path) if fields is None else call_json(url, method, path, fields)
        return reply.status, reply.body

    assert told(both.gateway.url) == told(both.mlflow)


def chunks() -> Generator[bytes]:
    for number in range(SIZE // MIB):
        yield bytes([number]) * MIB


def test_a_large_file_passes_in_little_memory(both: Both) -> None:
    assert call(both.gateway.url, "PUT", FILE, b"x" * (2 * MIB)).status == 200
    assert len(call(both.gateway.url, "GET", FILE).body) == 2 * MIB
    worker = both.gateway.workers()[0]
    before = peak_memory_of(worker)
    with connection_to(both.gateway.url) as connection:
        connection.request("PUT", FILE, body=chunks(), headers={"Content-Length": str(SIZE)})
        assert reply_on(connection).status == 200
        connection.request("GET", FILE)
        response = connection.getresponse()
        assert response.getheader("content-length") == str(SIZE)
        found = hashlib.sha256()
        while part := response.read(MIB):
            found.update(part)
    sent = hashlib.sha256()
    for chunk in chunks():
        sent.update(chunk)
    assert found.digest() == sent.digest()
    growth_bytes = peak_memory_of(worker) - before
    assert growth_bytes < GROWTH_LIMIT_BYTES


def test_a_probe_asks_the_server_behind(both: Both) -> None:
    assert call(both.gateway.url, "GET", "/readyz").status == 200
