"""What an administrator has to mend is told to the log as well, whichever store refuses it."""

import logging

from tracking_server.artifacts.store import StoreDenied, StoreMisconfigured
from tracking_server.errors import TrackingError

logger = logging.getLogger(__name__)


def told(error: TrackingError, uri: str, action: str) -> TrackingError:
    if isinstance(error, StoreDenied | StoreMisconfigured):
        logger.warning(
            "the artifact store refuses a call", extra={"store": uri, "store_call": action, "reason": error.message}
        )
    return error
