"""Webhooks through the unmodified client: what it gives back, and what is told, is as with MLflow's own server."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import last_line, mlflow_server, run_script
from tests.support.receivers import Received, Receiver, running_receiver
from tests.support.server import live_server

pytestmark = pytest.mark.xdist_group("mlflow-server")

SCRIPT = Path(__file__).with_name("scripts") / "webhooks.py"
KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
ENVIRON = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": KEY,
}
TOLD = 20


@pytest.fixture(scope="module")
def told_by_ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Receiver]]:
    folder = tmp_path_factory.mktemp("webhooks")
    with running_receiver() as receiver, live_server(folder, environ={**ENVIRON, "MLFLOW_WORKERS": "2"}) as server:
        yield last_line(run_script(SCRIPT, server.url, receiver.url, home=folder)), receiver


@pytest.fixture(scope="module")
def told_by_theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Receiver]]:
    """A server of its own: what is registered here would be found by other tests."""
    folder = tmp_path_factory.mktemp("their-webhooks")
    with running_receiver() as receiver, mlflow_server(folder, environ=ENVIRON) as url:
        yield last_line(run_script(SCRIPT, url, receiver.url, home=folder)), receiver


def without_place(told: object, receiver: Receiver) -> Any:
    return json.loads(json.dumps(told).replace(receiver.url, "<receiver>"))


def test_the_client_gives_back_the_same(
    told_by_ours: tuple[Any, Receiver], told_by_theirs: tuple[Any, Receiver]
) -> None:
    ours, theirs = without_place(*told_by_ours), without_place(*told_by_theirs)
    assert ours == theirs
    assert ours["created"]["secret"] is None
    assert ours["tested"] == [True, 200, "thanks", None]


def said(request: Received) -> Mapping[str, object]:
    return {key: value for key, value in request.said.items() if key != "timestamp"}


def of_all(requests: Sequence[Received]) -> list[Mapping[str, object]]:
    """MLflow sends at the same time what it is told one after the other: the order is ours alone."""
    return sorted((said(request) for request in requests), key=str)


def test_what_is_told_is_the_same(told_by_ours: tuple[Any, Receiver], told_by_theirs: tuple[Any, Receiver]) -> None:
    ours, theirs = told_by_ours[1].wait_for(TOLD), told_by_theirs[1].wait_for(TOLD)
    assert of_all(ours) == of_all(theirs)


def test_the_headers_are_the_same(told_by_ours: tuple[Any, Receiver], told_by_theirs: tuple[Any, Receiver]) -> None:
    for request in (*told_by_ours[1].wait_for(TOLD), *told_by_theirs[1].wait_for(TOLD)):
        signed = f"{request.delivery_id}.{request.headers['x-mlflow-timestamp']}.".encode() + request.body
        digest = hmac.new(b"s3cret", signed, hashlib.sha256).digest()
        assert request.headers["x-mlflow-signature"] == f"v1,{base64.b64encode(digest).decode()}"
        assert request.headers["content-type"] == "application/json"
        assert str(request.said["timestamp"]).endswith("+00:00")


def test_ours_is_told_in_order(told_by_ours: tuple[Any, Receiver]) -> None:
    stamps = [str(request.said["timestamp"]) for request in told_by_ours[1].wait_for(TOLD)]
    assert stamps == sorted(stamps)
