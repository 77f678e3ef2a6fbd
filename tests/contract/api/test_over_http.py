"""The same calls over a socket, at both of their addresses, read back after the server has been started anew."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.http import call, call_json
from tests.support.server import LiveServer, live_server

PREFIXES = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")


def post(server: LiveServer, path: str, **fields: object) -> Any:
    reply = call_json(server.url, "POST", path, fields)
    assert reply.status == 200, reply.body
    return reply.json


def get(server: LiveServer, path: str, **query: str) -> Any:
    reply = call(server.url, "GET", f"{path}?{urlencode(query)}")
    assert reply.status == 200, reply.body
    return reply.json


def test_what_is_logged_outlives_the_server(tmp_path: Path) -> None:
    prefix, other_prefix = PREFIXES
    with live_server(tmp_path) as server:
        experiment = post(server, f"{prefix}experiments/create", name="ours")["experiment_id"]
        run = post(server, f"{prefix}runs/create", experiment_id=experiment, run_name="n")["run"]["info"]["run_id"]
        metrics = [{"key": "m", "value": value, "timestamp": 1, "step": step} for step, value in enumerate([1, "NaN"])]
        assert post(server, f"{prefix}runs/log-batch", run_id=run, metrics=metrics) == {}
        model = post(server, f"{prefix}logged-models", experiment_id=experiment, name="line")["model"]
        before = get(server, f"{prefix}runs/get", run_id=run)
        assert server.stop() == 0
    prefix = other_prefix
    with live_server(tmp_path) as server:
        assert get(server, f"{prefix}experiments/get", experiment_id="0")["experiment"]["name"] == "Default"
        assert get(server, f"{prefix}runs/get", run_id=run) == before
        assert before["run"]["data"]["metrics"] == [{"key": "m", "value": "NaN", "timestamp": 1, "step": 1}]
        found = post(server, f"{prefix}runs/search", experiment_ids=[experiment], filter="attributes.run_name = 'n'")
        assert [each["info"]["run_id"] for each in found["runs"]] == [run]
        model_id = model["info"]["model_id"]
        assert get(server, f"{prefix}logged-models/{model_id}")["model"] == model
        assert call(server.url, "DELETE", f"{prefix}logged-models/{model_id}").status == 200
        refused = call(server.url, "GET", f"{prefix}logged-models/{model_id}")
        assert (refused.status, refused.error_code) == (404, "RESOURCE_DOES_NOT_EXIST")
        history = get(server, f"{prefix}metrics/get-history", run_id=run, metric_key="m")["metrics"]
        assert [metric["value"] for metric in history] == [1.0, "NaN"]
