"""What did not work this time is tried again, and waits longer each time."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from tracking_server.errors import TemporarilyUnavailable

T = TypeVar("T")

ATTEMPTS: Final = 5
_LONGEST_SECONDS: Final = 15.0


def attempted(call: Callable[[], T], wait: Callable[[float], None] = time.sleep) -> T:
    """Only what may be better next time. The last failure is raised."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return call()
        except TemporarilyUnavailable as error:
            wait(min(max(error.retry_after_seconds, 1) * 0.5 * 2**attempt, _LONGEST_SECONDS))
    return call()
