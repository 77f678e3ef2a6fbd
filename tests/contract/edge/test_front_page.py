"""The page at `/`: what people see who open the server in a browser."""

import base64
import hashlib
import re
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.http import call, call_json
from tests.support.server import LiveServer, live_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def page(server: LiveServer, **headers: str) -> str:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = call(server.url, "GET", "/", headers=named)
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return reply.body.decode()


def test_it_names_the_address_that_the_reader_used(server: LiveServer) -> None:
    assert "MLFLOW_TRACKING_URI=http://10.1.2.3:8080\n" in page(server, Host="10.1.2.3:8080").replace("<", "\n")
    assert "MLFLOW_TRACKING_URI=https://localhost" in page(server, Host="localhost", X_Forwarded_Proto="https")
    assert "javascript" not in page(server, X_Forwarded_Proto="javascript")


def test_what_users_wrote_is_text(server: LiveServer) -> None:
    name = "<script>alert(1)</script>'\"{{ 7 * 7 }}"
    created = call_json(server.url, "POST", "/api/2.0/mlflow/experiments/create", {"name": name})
    run = {"experiment_id": created.json["experiment_id"], "run_name": "<b>bold</b>", "start_time": 1_700_000_000_000}
    run_id = call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", run).json["run"]["info"]["run_id"]
    metric = {"run_id": run_id, "key": "accuracy", "value": 0.123456789, "timestamp": 1, "step": 0}
    call_json(server.url, "POST", "/api/2.0/mlflow/runs/log-metric", metric)
    text = page(server)
    assert "<script" not in text
    assert "<b>bold" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&#34;{{ 7 * 7 }}" in text
    assert "2023-11-14 22:13 UTC" in text
    assert "accuracy <b>0.123457</b>" in text


def test_times_that_are_none_do_no_harm(server: LiveServer) -> None:
    for start_time in (0, -1, 2**63 - 1):
        run = {"experiment_id": "0", "start_time": start_time}
        assert call_json(server.url, "POST", "/api/2.0/mlflow/runs/create", run).status == 200
    page(server)


def test_nothing_is_loaded_from_anywhere(server: LiveServer) -> None:
    text = page(server)
    assert re.findall(r'(?:src|href)="(?!/|data:)', text) == []
    assert re.findall(r"url\(|@import|style=|\bon\w+=", text) == []


def test_the_policy_allows_the_page_its_own_style_and_nothing_else(server: LiveServer) -> None:
    reply = call(server.url, "GET", "/")
    style = re.search(r"<style>(.*?)</style>", reply.body.decode(), re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = reply.headers["content-security-policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert reply.headers["cache-control"] == "no-store"


def test_before_the_first_run_it_says_how_to_begin_and_links_keep_the_static_prefix(tmp_path: Path) -> None:
    with live_server(tmp_path, "--static-prefix", "/ml") as server:
        text = call(server.url, "GET", "/ml/").body.decode()
        assert f"export MLFLOW_TRACKING_URI={server.url}/ml" in text
        assert f'mlflow.set_tracking_uri("{server.url}/ml")' in text
        assert "There is no run yet" in text
        assert "Default" in text
        for link in re.findall(r'href="(/[^"]*)"', text):
            assert call(server.url, "GET", link.replace("&amp;", "&")).status == 200
