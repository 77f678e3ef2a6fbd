"""Blocking calls that belong together, one after the other in threads of a pool; and how such a series ends."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tracking_server.web.asgi import Receive
from tracking_server.web.threads import WorkPool


class Lane:
    """The calls of one transfer, one after the other: at most one is under way, and none is left behind."""

    def __init__(self, pool: WorkPool) -> None:
        self._pool = pool
        self._under_way: asyncio.Future[Any] | None = None

    async def begin(self, work: Callable[[], object]) -> None:
        """Waits for the call before, and raises what it raised; not for this one."""
        await self.result()
        self._under_way = self._pool.submit(work)

    async def result(self) -> Any:
        """What the call under way returns: whoever began it knows its type."""
        if self._under_way is None:
            return None
        result: object = await asyncio.shield(self._under_way)
        self._under_way = None
        return result

    async def end(self, clean_up: Callable[[], None]) -> None:
        """Cleans up behind the call under way, whatever that raises."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])
            self._under_way.exception()  # asked for, so that nobody complains that nobody did
        await self._pool.submit(clean_up)


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def in_peace(ending: Coroutine[Any, Any, None]) -> None:
    """Goes on to its end even when whoever awaits it is cancelled."""
    await asyncio.shield(asyncio.ensure_future(ending))
