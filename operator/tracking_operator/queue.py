"""Which objects wait to be reconciled, when each is due, and the workers that take them.

An object is never reconciled twice at the same time, however many events name it: what comes in meanwhile makes it due
once more. Every object that is known is due again at the latest after the resync period.
"""

import asyncio
import contextlib
import heapq
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import Ref

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often the same object, and all objects together, are reconciled."""

    settle_seconds: float = 0.1
    """An event waits so long for the others of its burst."""
    first_retry_seconds: float = 1
    longest_retry_seconds: float = 300
    first_refused_seconds: float = 30
    """After a refusal of the API server, which only somebody else can mend."""
    jitter: float = 0.1
    """The share by which every delay is made longer or shorter, so that objects do not march in step."""
    starts_per_second: float = 50
    starts_at_once: int = 100
    resync_seconds: float = 600


class Queue:
    """The waiting and the working, without a clock of its own: every method is told the time."""

    def __init__(self, pace: Pace, *, uniform: Callable[[float, float], float] = random.uniform) -> None:
        self.pace: Final = pace
        self._uniform = uniform
        self._due: dict[Ref, float] = {}
        self._heap: list[tuple[float, int, Ref]] = []
        self._counter = itertools.count()
        self._working: dict[Ref, float] = {}
        self._failures: dict[Ref, int] = {}
        self._tokens = float(pace.starts_at_once)
        self._tokens_at = 0.0

    def add(self, ref: Ref, now: float) -> None:
        """Something happened to the object: it is due when the burst has settled."""
        self._schedule(ref, now + self.pace.settle_seconds)

    def take(self, now: float) -> tuple[Ref, float] | None:
        """An object that is due and not in work, and how long it has been due; it is in work until `finish`."""
        due = self.next_due(now)
        if due is None or due > now:
            return None
        due, _, ref = heapq.heappop(self._heap)
        del self._due[ref]
        self._working[ref] = now
        self._tokens -= 1
        return ref, now - due

    def next_due(self, now: float) -> float | None:
        """When `take` has something to give; None when nothing waits."""
        self._refill(now)
        self._drop_stale()
        if not self._heap:
            return None
        due = self._heap[0][0]
        return due if self._tokens >= 1 else max(due, now + (1 - self._tokens) / self.pace.starts_per_second)

    def finish(self, ref: Ref, now: float, *, delay_seconds: float | None = None) -> None:
        """The work is done: due again after the delay, at the latest after the resync period."""
        self._failures.pop(ref, None)
        resync = self._jittered(self.pace.resync_seconds)
        self._end(ref, now + (resync if delay_seconds is None else min(self._jittered(delay_seconds), resync)))

    def retry(self, ref: Ref, now: float, *, first_seconds: float, at_least_seconds: float = 0) -> float:
        """The work failed: due again after a delay that doubles each time. Returns the delay."""
        failures = self._failures.get(ref, 0)
        self._failures[ref] = failures + 1
        doubled = first_seconds * 2.0 ** min(failures, 32)
        delay = self._jittered(max(min(doubled, self.pace.longest_retry_seconds), at_least_seconds))
        self._end(ref, now + delay)
        return delay

    def forget(self, ref: Ref, now: float) -> None:
        """The object is gone. If something happened to its name meanwhile, that is still looked at."""
        self._failures.pop(ref, None)
        self._end(ref, None)
        if self._due.get(ref, now) > now + self.pace.settle_seconds:
            del self._due[ref]

    def depth(self, now: float) -> int:
        """How many objects are due and not in work."""
        return sum(due <= now for due in self._due.values())

    def oldest_wait_seconds(self, now: float) -> float:
        """How long the longest waiting object has been due."""
        overdue = (now - due for ref, due in self._due.items() if ref not in self._working)
        return max(0.0, max(overdue, default=0.0))

    def longest_work_seconds(self, now: float) -> float:
        return max((now - since for since in self._working.values()), default=0.0)

    def _schedule(self, ref: Ref, due: float) -> None:
        """The earlier time counts. An object that is in work waits for its end."""
        if due < self._due.get(ref, float("inf")):
            self._due[ref] = due
            if ref not in self._working:
                heapq.heappush(self._heap, (due, next(self._counter), ref))

    def _end(self, ref: Ref, due: float | None) -> None:
        del self._working[ref]
        if ref in self._due:
            heapq.heappush(self._heap, (self._due[ref], next(self._counter), ref))
        if due is not None:
            self._schedule(ref, due)

    def _drop_stale(self) -> None:
        """The heap keeps entries that an earlier time, work that began, or the end of an object has made void."""
        while self._heap:
            due, _, ref = self._heap[0]
            if ref not in self._working and self._due.get(ref) == due:
                return
            heapq.heappop(self._heap)

    def _refill(self, now: float) -> None:
        refilled = self._tokens + (now - self._tokens_at) * self.pace.starts_per_second
        self._tokens = min(refilled, float(self.pace.starts_at_once))
        self._tokens_at = now

    def _jittered(self, seconds: float) -> float:
        return seconds * self._uniform(1 - self.pace.jitter, 1 + self.pace.jitter)


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """The object is as it should be, or under way; look again after the delay, else after the resync period."""

    delay_seconds: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gone:
    """There is no such object any more."""


Result: TypeAlias = Literal["done", "gone", "not_ready", "refused", "error"]


class WorkObserver(Protocol):
    def started(self, waited_seconds: float) -> None: ...

    def finished(self, result: Result, seconds: float) -> None: ...


async def _wait(event: asyncio.Event, seconds: float | None) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    monotonic: Callable[[], float] = time.monotonic
    wait: Callable[[asyncio.Event, float | None], Awaitable[None]] = _wait
    """Until the event is set, but not longer than so many seconds."""


class Workers:
    """A pool that takes objects off a queue and gives each to `work`."""

    def __init__(
        self,
        queue: Queue,
        work: Callable[[Ref], Awaitable[Done | Gone]],
        observer: WorkObserver,
        *,
        clock: Clock | None = None,
    ) -> None:
        self._queue = queue
        self._work = work
        self._observer = observer
        self._clock = clock or Clock()
        self._changed = asyncio.Event()
        self._is_stopping = False

    def add(self, ref: Ref) -> None:
        """Something happened to the object."""
        self._queue.add(ref, self._clock.monotonic())
        self._changed.set()

    def stop(self) -> None:
        """Nothing new is taken; `run` returns when what is in work is done."""
        self._is_stopping = True
        self._changed.set()

    async def run(self, count: int) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._serve(), name=f"worker {number}")

    async def _serve(self) -> None:
        while not self._is_stopping:
            now = self._clock.monotonic()
            taken = self._queue.take(now)
            if taken is not None:
                await self._serve_one(*taken)
                continue
            due = self._queue.next_due(now)
            self._changed.clear()
            await self._clock.wait(self._changed, None if due is None else due - now)

    async def _serve_one(self, ref: Ref, waited_seconds: float) -> None:
        self._observer.started(waited_seconds)
        began = self._clock.monotonic()
        result: Result = "error"
        try:
            result = await self._attempt(ref)
        finally:
            self._observer.finished(result, self._clock.monotonic() - began)
            self._changed.set()

    async def _attempt(self, ref: Ref) -> Result:
        facts: dict[str, object] = {"object": str(ref)}
        try:
            match await self._work(ref):
                case Done(delay_seconds=delay_seconds):
                    self._queue.finish(ref, self._clock.monotonic(), delay_seconds=delay_seconds)
                    return "done"
                case Gone():
                    self._queue.forget(ref, self._clock.monotonic())
                    return "gone"
        except NotReadyYet as exc:
            delay = self._retry(ref, exc.delay_seconds, at_least_seconds=exc.delay_seconds)
            logger.info("not ready yet", extra={**facts, "error": str(exc), "retry_seconds": delay})
            return "not_ready"
        except ClusterRefused as exc:
            delay = self._retry(ref, self._queue.pace.first_refused_seconds)
            logger.warning("the API server refused", extra={**facts, "error": str(exc), "retry_seconds": delay})
            return "refused"
        except Exception:
            delay = self._retry(ref, self._queue.pace.first_retry_seconds)
            logger.exception("reconcile failed", extra={**facts, "retry_seconds": delay})
            return "error"

    def _retry(self, ref: Ref, first_seconds: float, *, at_least_seconds: float = 0) -> float:
        now = self._clock.monotonic()
        return self._queue.retry(ref, now, first_seconds=first_seconds, at_least_seconds=at_least_seconds)
