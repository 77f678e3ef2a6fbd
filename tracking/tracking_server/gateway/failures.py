"""What can go wrong with the server behind, for the client to know whether to try again. No message shows a secret."""

import socket
import ssl
from http.client import HTTPException

from tracking_server.errors import NotImplementedHere, TemporarilyUnavailable


class UpstreamUnavailable(TemporarilyUnavailable):
    """`may_have_arrived`: nobody knows whether the other server has done what it was asked. `was_slow`: it had all the
    time that there is for an answer."""

    def __init__(self, message: str, *, may_have_arrived: bool, was_slow: bool = False) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived
        self.was_slow = was_slow


class UpstreamMisconfigured(NotImplementedHere):
    """Trying again does not help: whoever runs this server has to change something."""


def not_connected(error: OSError, server: str, seconds: float) -> UpstreamUnavailable | UpstreamMisconfigured:
    if isinstance(error, ssl.SSLCertVerificationError):
        return UpstreamMisconfigured(
            f"The certificate of the tracking server at {server} is not one that this server trusts"
            f" ({error.verify_message}): its operator sets MLFLOW_TRACKING_SERVER_CERT_PATH."
        )
    return UpstreamUnavailable(
        f"The tracking server at {server}, which keeps the data of this one, cannot be reached"
        f" ({_reason(error, seconds)}). Try again; if it stays so, ask the operator of that server.",
        may_have_arrived=False,
    )


def broken_off(error: OSError | HTTPException | ValueError, server: str, seconds: float) -> UpstreamUnavailable:
    """Of a connection that was there."""
    if not isinstance(error, OSError):
        what = f"did not answer as an HTTP server does ({type(error).__name__})"
    elif isinstance(error, TimeoutError):
        return too_slow(server, seconds)
    else:
        what = f"broke the connection off ({type(error).__name__})"
    return UpstreamUnavailable(
        f"The tracking server at {server}, which keeps the data of this one, {what}. It may have done what it was asked"
        " to, or not. Try again.",
        may_have_arrived=True,
    )


def too_slow(server: str, seconds: float) -> UpstreamUnavailable:
    return UpstreamUnavailable(
        f"The tracking server at {server}, which keeps the data of this one, did not answer within {seconds:g} seconds"
        " (MLFLOW_HTTP_REQUEST_TIMEOUT). It may have done what it was asked to, or not. Try again.",
        may_have_arrived=True,
        was_slow=True,
    )


def redirects(status: int, server: str) -> UpstreamMisconfigured:
    return UpstreamMisconfigured(
        f"The tracking server at {server} answers with a redirect ({status}), and this server follows none. Its"
        " operator sets --backend-store-uri to the address at which the API itself is served, without a login page"
        " before it."
    )


def _reason(error: OSError, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no connection within {seconds:g} seconds"
    if isinstance(error, socket.gaierror):
        return "its name has no address"
    return error.strerror or type(error).__name__
