"""A pool of threads for calls that block, bounded in what it runs and in what waits for it."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from tracking_server.errors import TemporarilyUnavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class WorkPool:
    """Belongs to one event loop. `concurrent.futures` would do, without a bound and at a multiple of the cost."""

    def __init__(self, name: str, *, threads: int, waiting_limit: int) -> None:
        self._name = name
        self._limit = threads + waiting_limit
        self._pending = 0
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Raises TemporarilyUnavailable at once when too much waits already."""
        if self._pending >= self._limit:
            raise TemporarilyUnavailable(f"The server is busy: {self._pending} {self._name} wait already. Try again.")
        return await self.submit(work)

    def submit(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Runs `work` however much waits: for what goes on, and for its end."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._pending += 1
        self._queue.put(_Job(work, future, loop))
        return future

    def close(self) -> None:
        """Waits for what has begun and for what waits."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            if job.future.cancelled():
                self._tell(job, self._settle, job.future)
            else:
                self._do(job)
            del job  # or it, and all that it holds, would stay until the next one comes

    def _do(self, job: _Job) -> None:
        try:
            result = job.work()
        except StopIteration as error:  # a future refuses to carry it
            self._tell(job, self._fail, job.future, RuntimeError(f"unexpected {error!r}"))
        except BaseException as error:  # noqa: BLE001 - whatever it is, whoever awaits it must learn of it
            self._tell(job, self._fail, job.future, error)
        else:
            self._tell(job, self._succeed, job.future, result)

    @staticmethod
    def _tell(job: _Job, callback: Callable[..., None], *arguments: object) -> None:
        try:
            job.loop.call_soon_threadsafe(callback, *arguments)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    def _settle(self, _: "asyncio.Future[Any]") -> None:
        self._pending -= 1

    def _succeed(self, future: "asyncio.Future[Any]", result: object) -> None:
        self._pending -= 1
        if not future.done():
            future.set_result(result)

    def _fail(self, future: "asyncio.Future[Any]", error: BaseException) -> None:
        self._pending -= 1
        if not future.done():
            future.set_exception(error)
