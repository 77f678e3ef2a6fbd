import socket
import ssl
from http.client import BadStatusLine, LineTooLong, RemoteDisconnected

import pytest

from tracking_server.gateway.calls import Asked
from tracking_server.gateway.failures import UpstreamMisconfigured, UpstreamUnavailable, broken_off, not_connected
from tracking_server.gateway.options import GatewayOptions
from tracking_server.gateway.upstream import Upstream

SERVER = "http://mlflow:5000"


def upstream(**env: str) -> Upstream:
    return Upstream(SERVER, GatewayOptions.from_environ(env), pseudonym="p")


def unavailable(*, may_have_arrived: bool) -> UpstreamUnavailable:
    return UpstreamUnavailable("no", may_have_arrived=may_have_arrived)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_changes_nothing_is_tried_again(method: str) -> None:
    asked = Asked(method=method, target="/version")
    waits = [upstream().wait_before(attempt, unavailable(may_have_arrived=True), asked) for attempt in range(3)]
    assert waits == [0.2, 0.4, None]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_what_changes_something_is_tried_again_only_when_it_never_arrived(method: str) -> None:
    asked = Asked(method=method, target="/x")
    assert upstream().wait_before(0, unavailable(may_have_arrived=True), asked) is None
    assert upstream().wait_before(0, unavailable(may_have_arrived=False), asked) == 0.2


def test_nobody_waits_twice_for_a_server_that_is_slow() -> None:
    slow = broken_off(TimeoutError(), SERVER, 120)
    assert upstream().wait_before(0, slow, Asked(method="GET", target="/x")) is None


def test_waits_are_bounded_and_so_is_their_number() -> None:
    asked = Asked(method="GET", target="/x")
    patient = upstream(MLFLOW_HTTP_REQUEST_MAX_RETRIES="10")
    waits = [patient.wait_before(attempt, unavailable(may_have_arrived=True), asked) for attempt in range(11)]
    assert waits[-2:] == [2.0, None]
    assert (
        upstream(MLFLOW_HTTP_REQUEST_MAX_RETRIES="0").wait_before(0, unavailable(may_have_arrived=False), asked) is None
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (TimeoutError("timed out"), "no connection within 10 seconds"),
        (socket.gaierror(-2, "Name or service not known"), "its name has no address"),
        (ssl.SSLError(1, "wrong version number"), "wrong version number"),
    ],
)
def test_a_server_that_cannot_be_reached(error: OSError, told: str) -> None:
    failure = not_connected(error, SERVER, 10)
    assert isinstance(failure, UpstreamUnavailable)
    assert not failure.may_have_arrived
    assert SERVER in failure.message
    assert told in failure.message


def test_a_certificate_that_is_not_trusted_is_for_the_operator() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    failure = not_connected(error, SERVER, 10)
    assert isinstance(failure, UpstreamMisconfigured)
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in failure.message


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RemoteDisconnected("hunter2"), "broke the connection off (RemoteDisconnected)"),
        (BadStatusLine("hunter2"), "did not answer as an HTTP server does (BadStatusLine)"),
        (LineTooLong("hunter2"), "LineTooLong"),
        (ValueError("hunter2"), "ValueError"),
        (TimeoutError(), "did not answer within 120 seconds (MLFLOW_HTTP_REQUEST_TIMEOUT)"),
    ],
)
def test_a_connection_that_broke(error: Exception, told: str) -> None:
    failure = broken_off(error, SERVER, 120)  # type: ignore[arg-type]  # each of them is one of the three
    assert failure.may_have_arrived
    assert told in failure.message
    assert "hunter2" not in failure.message
