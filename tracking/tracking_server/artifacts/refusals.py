"""What an administrator has to mend is told to the log as well, whichever store refuses it."""

import logging
import socket
import ssl

from tracking_server.artifacts.store import StoreDenied, StoreMisconfigured
from tracking_server.errors import TrackingError

logger = logging.getLogger(__name__)


def told(error: TrackingError, uri: str, action: str) -> TrackingError:
    if isinstance(error, StoreDenied | StoreMisconfigured):
        logger.warning(
            "the artifact store refuses a call", extra={"store": uri, "store_call": action, "reason": error.message}
        )
    return error


def because(error: BaseException) -> str:
    """Why there was no connection, as far as what lies under the error of an SDK says so: the end of a clause."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, socket.gaierror):
            return ", for nobody knows the name of its host"
        if isinstance(seen, ConnectionRefusedError):
            return ", for nobody listens there"
        if isinstance(seen, ssl.SSLError):
            return ", for what answers there does not speak TLS"
        seen = getattr(seen, "inner_exception", None) or seen.__cause__ or seen.__context__
    return ""
