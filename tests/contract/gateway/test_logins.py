"""By what a gateway is let in: from the URI, the environment, files that may be replaced at any time, and profiles."""

import base64
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.certificates import write_key_and_certificate
from tests.support.http import call
from tests.support.server import live_server
from tests.support.upstreams import ScriptedServer, Told, scripted_server
from tracking_server.errors import ConfigInvalid
from tracking_server.gateway.calls import Answer, Asked
from tracking_server.gateway.failures import UpstreamMisconfigured, UpstreamUnavailable
from tracking_server.gateway.options import GatewayOptions
from tracking_server.gateway.upstream import Upstream

ASKED = Asked(method="GET", target="/api/2.0/mlflow/runs/get?run_id=1")


BASIC = {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p"}


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def opened(uri: str, environ: Mapping[str, str]) -> Upstream:
    return Upstream(uri, GatewayOptions.from_environ(environ), pseudonym="trackplane-1")


def ask(upstream: Upstream, asked: Asked = ASKED) -> Answer:
    call = upstream.call(asked)
    try:
        return call.ask(None)
    finally:
        call.end()
        upstream.close()


def authorizations(behind: ScriptedServer) -> list[str | None]:
    return [seen.headers.get("authorization") for seen in behind.seen]


@pytest.mark.parametrize(
    ("user_info", "environ", "found"),
    [
        ("", {}, None),
        ("", {"MLFLOW_TRACKING_TOKEN": "t"}, "Bearer t"),
        ("", {"TRACKPLANE_TRACKING_TOKEN_FILE": "token"}, "Bearer of-a-file"),
        ("", {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "p:ü"}, basic("u", "p:ü")),
        ("", {"MLFLOW_TRACKING_USERNAME": "u", "TRACKPLANE_TRACKING_PASSWORD_FILE": "password"}, basic("u", "a file")),
        ("", {**BASIC, "MLFLOW_TRACKING_TOKEN": "t"}, basic("u", "p")),
        ("me:p%40ss@", BASIC, basic("me", "p@ss")),
        ("me@", {"MLFLOW_TRACKING_PASSWORD": "p"}, basic("me", "p")),
        ("", {"HOME": "home"}, basic("kept", "100%")),
        ("", {"HOME": "home", **BASIC}, basic("u", "p")),
        ("", {"HOME": "/dev/null"}, None),
    ],
)  # fmt: skip
def test_who_it_is(
    upstream: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    user_info: str,
    environ: Mapping[str, str],
    found: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("of-a-file\n")
    (tmp_path / "password").write_text("a file\n")
    (tmp_path / "home" / ".mlflow").mkdir(parents=True)
    (tmp_path / "home" / ".mlflow" / "credentials").write_text(
        "[mlflow]\nmlflow_tracking_username = kept\nmlflow_tracking_password = 100%\n"
    )
    server = opened(upstream.url.replace("://", f"://{user_info}"), environ)
    assert ask(server).status == 200
    assert authorizations(upstream) == [found]
    assert server.name == upstream.url


@pytest.mark.parametrize(
    ("user_info", "environ", "told"),
    [
        ("hunter2@", {}, "has a user and no password"),
        ("", {"MLFLOW_TRACKING_PASSWORD": "hunter2"}, "has a password and no user"),
        ("", {"TRACKPLANE_TRACKING_TOKEN_FILE": "none"}, "The file none with the token cannot be read: No such file"),
        ("", {"TRACKPLANE_TRACKING_TOKEN_FILE": "lines"}, "lines must have one line"),
        ("", {"MLFLOW_TRACKING_TOKEN": "hunter2 hunter2"}, "is no token"),
        ("", {"HOME": "home"}, "is not an INI file"),
        ("", {"MLFLOW_TRACKING_SERVER_CERT_PATH": "lines"}, "MLFLOW_TRACKING_SERVER_CERT_PATH"),
        ("", {"MLFLOW_TRACKING_CLIENT_CERT_PATH": "none"}, "MLFLOW_TRACKING_CLIENT_CERT_PATH"),
    ],
)
def test_what_cannot_be_a_login_is_refused_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user_info: str, environ: Mapping[str, str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lines").write_text("hunter2\nhunter2\n")
    (tmp_path / "home" / ".mlflow").mkdir(parents=True)
    (tmp_path / "home" / ".mlflow" / "credentials").write_text("hunter2\n")
    with pytest.raises(ConfigInvalid) as refused:
        opened(f"http://{user_info}mlflow", environ)
    assert told in refused.value.message
    assert "hunter2" not in refused.value.message


def test_a_token_that_is_replaced_serves_from_the_next_call_on(upstream: ScriptedServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("one")
    server = opened(upstream.url, {"TRACKPLANE_TRACKING_TOKEN_FILE": str(token)})
    ask(server)
    (tmp_path / "new").write_text("two")
    (tmp_path / "new").replace(token)
    ask(server)
    assert authorizations(upstream) == ["Bearer one", "Bearer two"]


def test_a_login_that_is_refused_is_looked_up_once_more(upstream: ScriptedServer, tmp_path: Path) -> None:
    """The file looks as it did before: on a coarse clock, a change may not show."""
    token = tmp_path / "token"
    token.write_text("one")
    server = opened(upstream.url, {"TRACKPLANE_TRACKING_TOKEN_FILE": str(token)})
    before = token.stat()
    token.write_text("two")
    os.utime(token, ns=(before.st_atime_ns, before.st_mtime_ns))
    upstream.lets_in = {"Bearer two"}
    assert ask(server).status == 200
    assert authorizations(upstream) == ["Bearer one", "Bearer two"]


def test_a_login_that_stays_refused_is_tried_once(upstream: ScriptedServer, caplog: pytest.LogCaptureFixture) -> None:
    upstream.lets_in = set()
    with caplog.at_level(logging.WARNING):
        answer = ask(opened(upstream.url, {"MLFLOW_TRACKING_TOKEN": "hunter2"}))
    assert (answer.status, answer.first) == (401, b"You are not authenticated.")
    assert len(upstream.seen) == 1
    assert [(record.getMessage(), vars(record)["server"]) for record in caplog.records] == [
        ("the server behind refuses the login", upstream.url)
    ]
    assert "hunter2" not in caplog.text


def test_a_file_that_is_gone_for_a_while_changes_nothing(
    upstream: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = tmp_path / "token"
    token.write_text("one")
    server = opened(upstream.url, {"TRACKPLANE_TRACKING_TOKEN_FILE": str(token)})
    token.unlink()
    with caplog.at_level(logging.WARNING):
        ask(server)
        ask(server)
    assert authorizations(upstream) == ["Bearer one"] * 2
    assert [vars(record)["reason"] for record in caplog.records] == [
        f"The file {token} with the token cannot be read: No such file or directory."
    ]
    token.write_text("two")
    ask(server)
    assert authorizations(upstream)[2:] == ["Bearer two"]


def test_a_profile_of_databricks_through_a_whole_server(upstream: ScriptedServer, tmp_path: Path) -> None:
    profiles = tmp_path / ".databrickscfg"
    profiles.write_text(
        "[DEFAULT]\nhost = http://127.0.0.1:1\ntoken = dapi-default\n"
        f"\n[dev]\nhost = {upstream.url}/\ntoken = dapi-dev\n"
    )
    upstream.lets_in = {"Bearer dapi-dev", "Bearer dapi-new"}
    (tmp_path / "work").mkdir()
    with live_server(
        tmp_path / "work", "--backend-store-uri", "databricks://dev", environ={"HOME": str(tmp_path)}
    ) as it:
        path = "/api/2.0/mlflow/experiments/get?experiment_id=0"
        assert call(it.url, "GET", path).status == 200
        assert call(it.url, "GET", "/readyz").status == 200
        profiles.write_text(f"[dev]\nhost = {upstream.url}\ntoken = dapi-new\n")
        assert call(it.url, "GET", path, headers={"Authorization": "Bearer mine"}).status == 200
        upstream.answer = lambda _: Told(status=404)
        assert call(it.url, "GET", "/api/3.0/mlflow/server-info").status == 404
        log = it.log.read_text()
    assert [(seen.target, seen.headers["authorization"]) for seen in upstream.seen] == [
        (path, "Bearer dapi-dev"),
        (path, "Bearer dapi-dev"),
        (path, "Bearer dapi-new"),
        ("/api/3.0/mlflow/server-info", "Bearer dapi-new"),
    ]
    assert "dapi" not in log


@pytest.mark.parametrize("uri", ["databricks", "databricks://"])
def test_a_workspace_by_the_environment_alone(upstream: ScriptedServer, tmp_path: Path, uri: str) -> None:
    upstream.lets_in = {basic("me", "p")}
    environ = {"DATABRICKS_HOST": upstream.url, "DATABRICKS_USERNAME": "me", "DATABRICKS_PASSWORD": "p"}
    assert ask(opened(uri, {**environ, "HOME": str(tmp_path)})).status == 200


def test_a_profile_has_nothing_of_another(tmp_path: Path) -> None:
    file = tmp_path / "profiles"
    file.write_text("[DEFAULT]\nhost = h\ntoken = hunter2\n[dev]\nhost = h\n")
    with pytest.raises(ConfigInvalid, match=f"'dev' in {file} must have a token") as refused:
        opened("databricks://dev", {"DATABRICKS_CONFIG_FILE": str(file)})
    assert "hunter2" not in refused.value.message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    return write_key_and_certificate(file, hosts=["localhost"], addresses=["127.0.0.1"])


@pytest.fixture(scope="module")
def encrypted(certificate: Path) -> Iterator[ScriptedServer]:
    with scripted_server(certificate) as running:
        yield running


def test_a_certificate_is_checked(encrypted: ScriptedServer, certificate: Path) -> None:
    trusting = {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate), "MLFLOW_TRACKING_TOKEN": "t"}
    assert ask(opened(encrypted.url, trusting)).status == 200
    assert ask(opened(encrypted.url, {"MLFLOW_TRACKING_INSECURE_TLS": "true"})).status == 200
    count = len(encrypted.seen)
    with pytest.raises(UpstreamMisconfigured, match="MLFLOW_TRACKING_SERVER_CERT_PATH"):
        ask(opened(encrypted.url, {"MLFLOW_TRACKING_TOKEN": "t"}))
    assert len(encrypted.seen) == count


def test_a_server_that_does_not_speak_tls(upstream: ScriptedServer) -> None:
    with pytest.raises(UpstreamUnavailable) as refused:
        ask(opened(upstream.url.replace("http:", "https:"), {}))
    assert not refused.value.may_have_arrived
    assert upstream.seen == []
