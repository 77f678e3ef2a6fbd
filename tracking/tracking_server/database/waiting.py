"""Patience with a database that does not answer yet, as when both are started together."""

import logging
import time
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from tracking_server.database.failures import explain
from tracking_server.database.urls import mask
from tracking_server.errors import TemporarilyUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")


def when_it_answers(
    work: Callable[[], T],
    *,
    wait_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Tries again for so long, with pauses that double as MLflow's do; then raises what was raised last."""
    deadline = clock() + wait_seconds
    for tries in count(1):
        try:
            return work()
        except TemporarilyUnavailable as error:
            pause = min(0.1 * (2**tries - 1), deadline - clock())
            if pause <= 0:
                raise
            facts = {"error": mask(explain(error)), "retry_seconds": round(pause, 1)}
            logger.warning("the database does not answer yet", extra=facts)
        sleep(pause)
    raise AssertionError("count() has no end")
