"""`trackplane artifacts check` on stores that others wrote: what works, and the word for each thing that does not."""

import json
import ssl
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner

from tests.support.artifact_stores import GROUP, REMOTE
from tests.support.certificates import write_key_and_certificate
from tests.support.emulators import BUCKET, Emulator
from tracking_server.__main__ import main


def check(report: Path, *words: str, environ: Mapping[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    env = {"TRACKPLANE_REPORT_FILE": str(report), **(environ or {})}
    result = CliRunner().invoke(main, ["artifacts", "check", *words], env=env)
    return result.exit_code, json.loads(report.read_text())


@pytest.fixture(params=[pytest.param(name, marks=GROUP) for name in REMOTE])
def emulator(request: pytest.FixtureRequest) -> Emulator:
    request.getfixturevalue(f"{request.param}_bucket")  # credentials are those of the session
    found: Emulator = request.getfixturevalue(request.param)
    return found


def test_a_folder_can_be_used_and_is_left_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "artifacts"
    place.mkdir()
    code, report = check(tmp_path / "report", str(place))
    assert (code, report["ok"], report["steps"]) == (0, True, ["write", "read", "list", "delete"])
    assert list(place.iterdir()) == []


def test_a_bucket_can_be_used(emulator: Emulator, tmp_path: Path) -> None:
    environ = {**emulator.environ, "MLFLOW_ARTIFACTS_DESTINATION": f"{emulator.uri}/some/where"}
    code, report = check(tmp_path / "report", environ=environ)
    assert (code, report["ok"], report["steps"]) == (0, True, ["write", "read", "list", "delete"])
    assert report["root"] == f"{emulator.uri}/some/where"


def test_a_bucket_that_is_not_there(emulator: Emulator, tmp_path: Path) -> None:
    root = emulator.uri.replace(BUCKET, "not-there")
    code, report = check(tmp_path / "report", root, environ=emulator.environ)
    assert (code, report["ok"], report["reason"]) == (18, False, "NoSuchBucket")


@GROUP
def test_keys_that_are_wrong(s3: Emulator, tmp_path: Path) -> None:
    environ = {**s3.environ, "AWS_SECRET_ACCESS_KEY": "not-the-key"}
    code, report = check(tmp_path / "report", s3.uri, environ=environ)
    assert (code, report["reason"]) == (18, "AccessDenied")
    assert "not-the-key" not in json.dumps(report)


def test_nobody_listens(tmp_path: Path) -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_MAX_ATTEMPTS": "1",
        "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    code, report = check(tmp_path / "report", "s3://models", environ=environ)
    assert (code, report["reason"]) == (18, "ArtifactStoreUnreachable")


def test_what_is_no_place_for_artifacts(tmp_path: Path) -> None:
    code, report = check(tmp_path / "report", "ftp://host/path")
    assert (code, report["reason"]) == (10, "ConfigInvalid")


class Played(BaseHTTPRequestHandler):
    """An S3 that answers every call in the same way."""

    protocol_version = "HTTP/1.1"
    status: ClassVar[int]
    code: ClassVar[str]
    calls: ClassVar[int]

    def do_PUT(self) -> None:
        Played.calls += 1
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = f"<Error><Code>{self.code}</Code><Message>as it is documented</Message></Error>".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def handle(self) -> None:
        with suppress(OSError):  # a client that does not trust the certificate goes away
            super().handle()

    def __getattr__(self, name: str) -> object:
        """Every other method of HTTP is answered in the same way."""
        if name.startswith("do_"):
            return self.do_PUT
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@contextmanager
def played(status: int = 200, code: str = "", certificate: Path | None = None) -> Generator[dict[str, str]]:
    Played.status, Played.code, Played.calls = status, code, 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Played) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield {
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "key",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "MLFLOW_S3_ENDPOINT_URL": f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}",
        }
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (301, "PermanentRedirect", "WrongRegion"),  # and no region is named: nothing asks for it without end
        (400, "AuthorizationHeaderMalformed", "WrongRegion"),
        (403, "RequestTimeTooSkewed", "SkewedClock"),
        (403, "InvalidAccessKeyId", "AccessDenied"),
        (404, "NoSuchBucket", "NoSuchBucket"),
        (501, "NotImplemented", "StoreMisconfigured"),
    ],
)
def test_what_a_store_answers_is_told_apart(tmp_path: Path, status: int, code: str, reason: str) -> None:
    with played(status, code) as environ:
        found, report = check(tmp_path / "report", "s3://models", environ=environ)
    assert (found, report["reason"], report["steps"]) == (18, reason, [])
    assert Played.calls < 5


def test_a_certificate_that_nobody_trusts(tmp_path: Path) -> None:
    certificate = write_key_and_certificate(tmp_path / "tls.pem", hosts=["localhost"], addresses=["127.0.0.1"])
    with played(403, "AccessDenied", certificate) as environ:
        trusting = {**environ, "AWS_CA_BUNDLE": str(certificate)}
        _, taken = check(tmp_path / "report", "s3://models", environ=trusting)
        _, refused = check(tmp_path / "report", "s3://models", environ=environ)
    assert (refused["reason"], taken["reason"]) == ("TLSFailed", "AccessDenied"), taken


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("not a folder")
    code, report = check(tmp_path / "report", str(place))
    assert (code, report["reason"]) == (10, "ConfigInvalid")
    assert place.read_text() == "not a folder"
