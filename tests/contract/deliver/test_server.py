"""The whole server: what is recorded is told at once, whichever process took the request, and a stop loses nothing."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.http import Reply, call_json
from tests.support.receivers import Receiver, running_receiver
from tests.support.server import LiveServer, live_server

BASE: Final = "/api/2.0/mlflow"
CREATED: Final = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
ENVIRON: Final = {
    "MLFLOW_WORKERS": "2",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def send(server: LiveServer, path: str, **fields: object) -> Reply:
    return call_json(server.url, "POST", f"{BASE}/{path}", fields)


def post(server: LiveServer, path: str, **fields: object) -> None:
    answer = send(server, path, **fields)
    assert answer.status == 200, answer.body


def test_a_stop_in_the_middle_of_a_delivery_loses_nothing(tmp_path: Path, receiver: Receiver) -> None:
    """The key that encrypts the secret outlives the process too: nothing told the server one."""
    with receiver.held(), live_server(tmp_path, environ=ENVIRON) as server:
        post(server, "webhooks", name="mine", url=receiver.url, events=[CREATED], secret="s3cret")
        post(server, "registered-models/create", name="m")
        receiver.wait_for(1)
        assert server.stop(signal.SIGTERM) == 0
    with live_server(tmp_path, environ=ENVIRON) as server:
        first, second = receiver.wait_for(2)
        log = server.log.read_text()
    assert first.delivery_id == second.delivery_id
    assert first.body == second.body
    assert "x-mlflow-signature" in second.headers
    assert "s3cret" not in log
    assert (tmp_path / "mlflow.db.webhook-key").stat().st_mode & 0o777 == 0o600


def test_a_new_webhook_is_told_at_once_whichever_process_took_what(tmp_path: Path, receiver: Receiver) -> None:
    with live_server(tmp_path, environ=ENVIRON) as server:
        post(server, "webhooks", name="mine", url=receiver.url, events=[CREATED])
        for number in range(10):  # each on a connection of its own, so by either process
            post(server, "registered-models/create", name=f"m{number}")
        requests = receiver.wait_for(10)
    assert [json.loads(request.body)["data"]["name"] for request in requests] == [f"m{number}" for number in range(10)]


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path, receiver: Receiver) -> None:
    with live_server(tmp_path, environ={"MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http"}) as server:
        answer = send(server, "webhooks", name="mine", url=receiver.url, events=[CREATED])
    assert (answer.status, answer.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert "non-public IP address" in answer.json["message"]
