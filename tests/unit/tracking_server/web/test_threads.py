"""The pool under an event loop; threads meet at barriers, so nothing here waits for time to pass."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from tracking_server.errors import TemporarilyUnavailable
from tracking_server.web.threads import WorkPool


def running(threads: int, waiting_limit: int, scenario: Callable[[WorkPool], "asyncio.Future[None] | object"]) -> None:
    async def run() -> None:
        pool = WorkPool("calls", threads=threads, waiting_limit=waiting_limit)
        try:
            outcome = scenario(pool)
            if asyncio.iscoroutine(outcome):
                await outcome
        finally:
            await asyncio.to_thread(pool.close)

    asyncio.run(run())


def test_a_call_returns_what_its_work_returns_or_raises() -> None:
    async def scenario(pool: WorkPool) -> None:
        assert await pool.run(lambda: 6 * 7) == 42
        with pytest.raises(ZeroDivisionError):
            await pool.run(lambda: 1 // 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await pool.run(lambda: next(iter(())))
        assert await pool.run(threading.get_ident) != threading.get_ident()

    running(2, 10, scenario)


def test_calls_run_at_once_up_to_the_number_of_threads() -> None:
    async def scenario(pool: WorkPool) -> None:
        together = threading.Barrier(3)
        await asyncio.gather(*(pool.run(together.wait) for _ in range(3)))

    running(3, 0, scenario)


def test_what_is_more_than_may_wait_is_refused_at_once() -> None:
    async def scenario(pool: WorkPool) -> None:
        gate = threading.Event()
        held = [asyncio.ensure_future(pool.run(gate.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(TemporarilyUnavailable):
            await pool.run(lambda: None)
        extra = pool.submit(lambda: "the end of something that has begun")
        gate.set()
        assert await asyncio.gather(*held) == [True, True, True]
        assert await extra
        assert await pool.run(lambda: "there is room again")

    running(1, 2, scenario)


def test_a_cancelled_call_gives_its_place_back() -> None:
    async def scenario(pool: WorkPool) -> None:
        gate = threading.Event()
        ran: list[str] = []
        first = pool.submit(gate.wait)
        second = pool.submit(lambda: ran.append("second"))
        second.cancel()
        first.cancel()
        gate.set()
        assert await pool.run(lambda: "after them") == "after them"
        assert ran == []

    running(1, 2, scenario)


def test_closing_waits_for_what_has_begun() -> None:
    done: list[int] = []

    async def scenario(pool: WorkPool) -> None:
        for number in range(5):
            pool.submit(lambda number=number: done.append(number))  # type: ignore[misc]  # a default as closure

    running(1, 10, scenario)
    assert done == [0, 1, 2, 3, 4]
