"""What a server says about itself, asked over HTTP."""

from pathlib import Path

import pytest

from tests.support.http import call
from tests.support.server import LiveServer, live_server


@pytest.mark.parametrize(
    ("path", "body"),
    [("/health", b"OK"), ("/livez", b"OK"), ("/readyz", b"OK"), ("/version", b"3.17.2")],
)
def test_probes_answer_whatever_the_host(server: LiveServer, path: str, body: bytes) -> None:
    reply = call(server.url, "GET", path, headers={"Host": "anything.example.com"})
    assert (reply.status, reply.body) == (200, body)
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    head = call(server.url, "HEAD", path)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(body)))


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_server_info(server: LiveServer, prefix: str) -> None:
    info = call(server.url, "GET", f"{prefix}/3.0/mlflow/server-info").json
    assert info["store_type"] == "SqlStore"
    assert info["multipart_uploads_enabled"] is False
    assert info["features_enabled"] == {"gateway": False}
    assert info["trackplane"]["mlflow_version"] == "3.17.2"


def test_every_answer_has_its_headers(server: LiveServer) -> None:
    for path in ("/health", "/api/2.0/mlflow/runs/get?run_id=none", "/nowhere"):
        reply = call(server.url, "GET", path, headers={"X-Request-Id": "given-1"})
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["x-frame-options"] == "SAMEORIGIN"
        assert reply.headers["x-request-id"] == "given-1"


def test_a_request_id_that_could_do_harm_is_replaced(server: LiveServer) -> None:
    reply = call(server.url, "GET", "/health", headers={"X-Request-Id": "a b\tc" + "x" * 100})
    assert len(reply.headers["x-request-id"]) == 16


def test_the_default_experiment_is_there(server: LiveServer) -> None:
    experiment = call(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0").json["experiment"]
    assert experiment["name"] == "Default"
    assert experiment["artifact_location"] == "mlflow-artifacts:/0"


def test_a_static_prefix_precedes_every_path(tmp_path: Path) -> None:
    with live_server(tmp_path, "--static-prefix", "/tracking") as server:
        assert call(server.url, "GET", "/tracking/health").status == 200
        assert call(server.url, "GET", "/tracking/api/2.0/mlflow/experiments/get?experiment_id=0").status == 200
        assert call(server.url, "GET", "/health").error_code == "ENDPOINT_NOT_FOUND"
        assert call(server.url, "GET", "/trackinghealth").error_code == "ENDPOINT_NOT_FOUND"
