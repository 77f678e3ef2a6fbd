"""`/livez`, `/readyz` and `/metrics`: whether this process works, told truthfully, also about watches that are silent.

A standby is alive and ready. What the API server does not answer is not ours to heal: a leader without an API server
loses its Lease and ends by itself, so liveness is about what a restart mends: stuck watches, stuck work.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from tracking_operator.handlers.metrics import CONTENT_TYPE, Metrics
from tracking_operator.queue import Queue

SILENT_SECONDS: Final = 150
"""kopf renews a watch that is silent for 70 seconds; so much longer means that it does not succeed."""
STALLED_SECONDS: Final = 300
OVERDUE_SECONDS: Final = 120
"""An object that is due waits for a worker: much is to be done, or nothing is being done."""
STUCK_SECONDS: Final = 900
"""One reconcile. Every request in it has a time limit, so it is stuck."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """What is wrong, in sentences; nothing when all is well."""

    ready_faults: tuple[str, ...]
    live_faults: tuple[str, ...]


class State:
    """What the probes look at."""

    def __init__(self, metrics: Metrics, queue: Queue, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._queue = queue
        self._monotonic = monotonic
        self.unready_because = "starting"
        """Why this process could not even stand by; empty when it can."""
        self.lease_silence_seconds: Callable[[], float] = lambda: 0
        """How long nothing has been heard of the Lease."""

    def health(self) -> Health:
        now = self._monotonic()
        silences = self._metrics.watches.silences()
        overdue = self._queue.oldest_wait_seconds(now)
        longest = self._queue.longest_work_seconds(now)
        ready = [self.unready_because] if self.unready_because else []
        live: list[str] = []
        if (silence := self.lease_silence_seconds()) > SILENT_SECONDS:
            ready.append(f"the Lease cannot be read since {silence:.0f} s")
        for (resource, namespace), seconds in silences.items():
            where = f"{resource} in {namespace or 'all namespaces'}"
            if seconds > SILENT_SECONDS:
                ready.append(f"the watch of {where} is silent since {seconds:.0f} s")
            if seconds > STALLED_SECONDS:
                live.append(f"the watch of {where} is silent since {seconds:.0f} s")
        if overdue > OVERDUE_SECONDS:
            ready.append(f"an object waits for a worker since {overdue:.0f} s")
        if longest > STUCK_SECONDS:
            live.append(f"a reconcile is under way since {longest:.0f} s")
        return Health(ready_faults=tuple(ready), live_faults=tuple(live))


@asynccontextmanager
async def serving(state: State, metrics: Metrics, port: int) -> AsyncGenerator[None]:
    """Answers on all addresses of the pod for as long as the context lasts."""

    async def livez(_request: web.Request) -> web.Response:
        return _answer(state.health().live_faults)

    async def readyz(_request: web.Request) -> web.Response:
        return _answer(state.health().ready_faults)

    async def exposition(_request: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.add_routes(
        [
            web.get("/livez", livez),
            web.get("/readyz", readyz),
            web.get("/metrics", exposition),
        ]
    )
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, port=port).start()
        yield
    finally:
        await runner.cleanup()


def _answer(faults: tuple[str, ...]) -> web.Response:
    if faults:
        return web.Response(status=503, text="\n".join(faults) + "\n")
    return web.Response(text="ok\n")
