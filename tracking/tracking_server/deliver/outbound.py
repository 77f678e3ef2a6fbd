"""What an operation needs of webhooks: to check and try an address, to keep a secret, to ring when there is work."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tracking_server.deliver.posting import Poster
from tracking_server.deliver.queue import TablePresence
from tracking_server.deliver.secrets import SecretKeeper

TRIALS_AT_ONCE: Final = 2
"""In one process: each holds a thread that answers requests for as long as the receiver takes."""


def _nobody() -> None:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbound:
    poster: Poster = field(default_factory=Poster)
    secrets: SecretKeeper = field(default_factory=SecretKeeper)
    queue: TablePresence = field(default_factory=TablePresence)
    wake: Callable[[], None] = _nobody
    trials: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(TRIALS_AT_ONCE))
