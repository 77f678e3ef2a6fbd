"""The thread that sees to it that what is in the queue goes out: one in each server process, with a few that send.

It sleeps until something is recorded in this process, until the next try is due, or for half a minute: others may have
died with work in their hands. At rest it sends one statement each time it looks.
"""

import logging
import random
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tracking_server.database.transactions import Database
from tracking_server.deliver.message import headers_of
from tracking_server.deliver.outcomes import GivenUp, LeftToOthers, Outcome, TryAgain, outcome_of
from tracking_server.deliver.posting import Post, Poster
from tracking_server.deliver.queue import Claimed, DeliveryQueue, Head, TablePresence
from tracking_server.deliver.secrets import SecretKeeper, Undecipherable

logger = logging.getLogger(__name__)

LOOK_SECONDS: Final = 30.0
TIDY_SECONDS: Final = 3600.0
LEASE_MARGIN_SECONDS: Final = 30.0
"""Beyond the time that a try may take: the lease of who lives never runs out."""
STOP_SECONDS: Final = 2.0
"""For what is under way when the process ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryOptions:
    senders: int = 10
    max_retries: int = 3
    look_seconds: float = LOOK_SECONDS
    lease_seconds: float | None = None
    """None: the time limit of a try, and a margin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Time and chance, which tests choose."""

    now: Callable[[], int] = field(default=lambda: time.time_ns() // 1_000_000)
    jitter: Callable[[], float] = field(default=lambda: random.SystemRandom().random())
    new_lease: Callable[[], str] = field(default=lambda: uuid.uuid4().hex)


class Wake:
    """Rings once for any number of calls; may be rung before anybody listens."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> None:
        self._event.set()

    def wait(self, seconds: float) -> None:
        self._event.wait(seconds)
        self._event.clear()


class Deliverer:
    def __init__(
        self,
        *,
        database: Database,
        presence: TablePresence,
        poster: Poster,
        secrets: SecretKeeper,
        wake: Wake,
        options: DeliveryOptions,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._around = surroundings or Surroundings()
        self._queue = DeliveryQueue(database, presence, self._around.new_lease)
        self._poster = poster
        self._secrets = secrets
        self._wake = wake
        self._options = options
        self._lease_ms = round(1000 * (options.lease_seconds or poster.timeout_seconds + LEASE_MARGIN_SECONDS))
        self._lock = threading.Lock()
        self._under_way: dict[int, Post | None] = {}
        self._ended: list[tuple[Claimed, Outcome]] = []
        self._is_stopping = False
        self._tidied_at = 0.0
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes nothing more, gives what is under way a moment, and leaves the rest to others."""
        self._is_stopping = True
        self._wake()
        self._thread.join(2 * STOP_SECONDS)

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                pause = self._look()
            except Exception:
                logger.warning("webhooks wait: their queue cannot be read", exc_info=True)
                pause = self._options.look_seconds
            if not self._is_stopping:
                self._wake.wait(pause)
        try:
            self._end()
        except Exception:
            logger.warning("what webhooks were just told may be told again", exc_info=True)

    def _look(self) -> float:
        """Settles what has ended, and sends what is due. How long there is nothing to do, in seconds."""
        self._settle()
        self._tidy_at_times()
        heads = self._queue.heads()
        with self._lock:
            free = self._options.senders - len(self._under_way)
            heads = [head for head in heads if head.sequence not in self._under_way]
        now = self._around.now()
        due = [head for head in heads if head.free_at <= now]
        for claimed in self._queue.claim(due[:free], now=now, until=now + self._lease_ms):
            self._send(claimed)
        return self._pause(heads, now)

    def _pause(self, heads: Sequence[Head], now: int) -> float:
        """What is due, and was not claimed, is another's or waits for a sender here, whose end rings."""
        later = [head.free_at - now for head in heads if head.free_at > now]
        return min([self._options.look_seconds, *(wait / 1000 for wait in later)])

    def _send(self, claimed: Claimed) -> None:
        with self._lock:
            self._under_way[claimed.sequence] = None
        threading.Thread(target=self._deliver, args=[claimed], name="webhook-sender", daemon=True).start()

    def _deliver(self, claimed: Claimed) -> None:
        try:
            outcome = self._try(claimed)
        except Exception as error:
            logger.exception("unexpected error", extra={"webhook_id": claimed.webhook_id})
            outcome = GivenUp(why=f"an error of this server: {type(error).__name__}")
        with self._lock:
            del self._under_way[claimed.sequence]
            self._ended.append((claimed, outcome))
        self._wake()

    def _try(self, claimed: Claimed) -> Outcome:
        try:
            secret = self._secrets.decrypt(claimed.secret) if claimed.secret else None
        except Undecipherable as error:
            return self._told(claimed, GivenUp(why=f"its secret cannot be read: {error}"))
        now_seconds = self._around.now() // 1000
        headers = headers_of(claimed.delivery_id, claimed.body, secret=secret, now_seconds=now_seconds)
        post = self._poster.begin(claimed.url, headers, claimed.body)
        with self._lock:
            if self._is_stopping:
                return LeftToOthers()
            self._under_way[claimed.sequence] = post
        reply = post.send()
        outcome = outcome_of(
            reply,
            tries=claimed.attempts + 1,
            max_retries=self._options.max_retries,
            jitter=self._around.jitter(),
            now_seconds=self._around.now() / 1000,
        )
        return self._told(claimed, outcome)

    def _told(self, claimed: Claimed, outcome: Outcome) -> Outcome:
        facts: dict[str, object] = {
            "webhook_id": claimed.webhook_id,
            "delivery_id": claimed.delivery_id,
            "tries": claimed.attempts + 1,
        }
        match outcome:
            case GivenUp(why=why):
                logger.warning("a delivery to a webhook is given up", extra={**facts, "error": why})
            case TryAgain(why=why, after_seconds=pause):
                logger.info(
                    "a delivery to a webhook is tried again",
                    extra={**facts, "error": why, "retry_seconds": round(pause, 1)},
                )
            case _:
                pass
        return outcome

    def _settle(self) -> None:
        """What cannot be settled now is settled at the next look."""
        with self._lock:
            ended = list(self._ended)
        if ended:
            self._queue.settle(ended, now=self._around.now())
            with self._lock:
                del self._ended[: len(ended)]

    def _tidy_at_times(self) -> None:
        if not self._tidied_at or time.monotonic() - self._tidied_at > TIDY_SECONDS:
            self._tidied_at = time.monotonic()
            self._queue.tidy(self._around.now())

    def _end(self) -> None:
        self._wait_for_senders(STOP_SECONDS)
        with self._lock:
            under_way = list(self._under_way.values())
        for post in under_way:
            if post is not None:
                post.stop()
        self._wait_for_senders(STOP_SECONDS / 2)
        self._settle()

    def _wait_for_senders(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            with self._lock:
                if not self._under_way:
                    return
            self._wake.wait(left)
