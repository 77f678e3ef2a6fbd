import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.queue import Clock, Done, Gone, Pace, Queue, Result, Workers
from tracking_operator.resource.kinds import TRACKING_SERVER, Ref

PACE = Pace(jitter=0, resync_seconds=600)


def a_ref(name: str = "a") -> Ref:
    return Ref(kind=TRACKING_SERVER, namespace="team", name=name)


def a_queue(pace: Pace = PACE) -> Queue:
    return Queue(pace)


def take(queue: Queue, now: float) -> Ref | None:
    taken = queue.take(now)
    return None if taken is None else taken[0]


def test_an_event_waits_for_its_burst_to_settle() -> None:
    queue = a_queue()
    queue.add(a_ref(), 10)
    assert take(queue, 10) is None
    assert queue.next_due(10) == pytest.approx(10.1)
    assert take(queue, 10.1) == a_ref()


def test_many_events_are_one_reconcile() -> None:
    queue = a_queue()
    for now in (10, 10.05, 10.2):
        queue.add(a_ref(), now)
    assert take(queue, 11) == a_ref()
    assert take(queue, 11) is None


def test_what_happens_during_the_work_is_looked_at_after_it() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    assert take(queue, 1) == a_ref()
    queue.add(a_ref(), 1)
    assert take(queue, 5) is None
    queue.finish(a_ref(), 5)
    assert take(queue, 5) == a_ref()


def test_one_object_does_not_hold_up_another() -> None:
    queue = a_queue()
    queue.add(a_ref("a"), 0)
    assert take(queue, 1) == a_ref("a")
    queue.add(a_ref("b"), 1)
    assert take(queue, 2) == a_ref("b")


def test_a_known_object_is_due_again_after_the_resync_period() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.finish(a_ref(), 2)
    assert queue.next_due(2) == 602


def test_a_delay_counts_only_up_to_the_resync_period() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.finish(a_ref(), 2, delay_seconds=5)
    assert queue.next_due(2) == 7
    assert take(queue, 7) == a_ref()
    queue.finish(a_ref(), 8, delay_seconds=5000)
    assert queue.next_due(8) == 608


def test_an_event_comes_before_the_delay_is_over() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.finish(a_ref(), 1, delay_seconds=60)
    queue.add(a_ref(), 10)
    assert take(queue, 10.2) == a_ref()
    queue.finish(a_ref(), 11, delay_seconds=500)
    assert take(queue, 61) is None


def test_retries_double_up_to_a_cap_and_a_success_forgets_them() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    now, delays = 1.0, list[float]()
    for _ in range(12):
        assert take(queue, now) == a_ref()
        delays.append(queue.retry(a_ref(), now, first_seconds=1))
        now += delays[-1]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    take(queue, now)
    queue.finish(a_ref(), now, delay_seconds=1)
    now += 1
    take(queue, now)
    assert queue.retry(a_ref(), now, first_seconds=1) == 1


def test_what_the_api_server_asks_for_is_the_least() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    assert queue.retry(a_ref(), 1, first_seconds=1, at_least_seconds=40) == 40


def test_jitter_moves_every_delay() -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    queue = Queue(Pace(jitter=0.1, resync_seconds=600), uniform=uniform)
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.finish(a_ref(), 0)
    assert queue.next_due(0) == pytest.approx(660)
    assert bounds == [(0.9, 1.1)]


def test_an_object_that_is_gone_is_forgotten() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.forget(a_ref(), 1)
    assert queue.next_due(1) is None


def test_a_name_that_is_used_again_meanwhile_is_looked_at() -> None:
    queue = a_queue()
    queue.add(a_ref(), 0)
    take(queue, 1)
    queue.add(a_ref(), 1)
    queue.forget(a_ref(), 1)
    assert take(queue, 2) == a_ref()


def test_starts_are_limited_over_all_objects() -> None:
    queue = a_queue(Pace(jitter=0, starts_at_once=2, starts_per_second=10))
    for name in "abcd":
        queue.add(a_ref(name), 0)
    taken = [take(queue, 1) for _ in range(4)]
    assert taken == [a_ref("a"), a_ref("b"), None, None]
    assert queue.next_due(1) == pytest.approx(1.1)
    assert take(queue, 1.1) == a_ref("c")


def test_depth_and_waits_are_told() -> None:
    queue = a_queue()
    queue.add(a_ref("a"), 0)
    queue.add(a_ref("b"), 3)
    queue.add(a_ref("later"), 1000)
    assert queue.depth(4) == 2
    assert queue.oldest_wait_seconds(4) == pytest.approx(3.9)
    taken = queue.take(4)
    assert taken is not None
    assert taken[1] == pytest.approx(3.9)
    assert (queue.depth(4), queue.longest_work_seconds(9)) == (1, 5)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["add", "take", "finish", "retry", "forget"]), st.sampled_from("abc"), st.integers(0, 9)
        ),
        max_size=60,
    )
)
def test_no_order_of_calls_works_twice_on_one_object_or_loses_an_event(steps: list[tuple[str, str, int]]) -> None:
    queue = a_queue(Pace(jitter=0, settle_seconds=1, resync_seconds=50))
    now, working, pending = 0.0, set[Ref](), set[Ref]()
    for step, name, seconds in steps:
        now += seconds
        ref = a_ref(name)
        if step == "add":
            queue.add(ref, now)
            pending.add(ref)
        elif step == "take":
            taken = take(queue, now)
            assert taken not in working
            if taken is not None:
                working.add(taken)
                pending.discard(taken)
        elif ref in working:
            working.remove(ref)
            if step == "finish":
                queue.finish(ref, now, delay_seconds=seconds)
            elif step == "retry":
                queue.retry(ref, now, first_seconds=1)
            else:
                queue.forget(ref, now)
    for ref in tuple(working):
        queue.forget(ref, now)
    left = {taken for _ in range(4) if (taken := take(queue, now + 1)) is not None}
    assert pending <= left


class _Clock:
    """Time passes only when everybody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        await asyncio.sleep(0)
        if not event.is_set():
            if seconds is None:
                await event.wait()
            else:
                self.now += seconds


class _Seen:
    def __init__(self) -> None:
        self.results: list[Result] = []
        self.seconds = 0.0

    def started(self, waited_seconds: float) -> None:
        pass

    def finished(self, result: Result, seconds: float) -> None:
        self.results.append(result)
        self.seconds += seconds


async def served(
    work: Callable[[Ref, int], Awaitable[Done | Gone]], *, times: int, names: str = "a", count: int = 1
) -> tuple[list[float], list[Result]]:
    """Works until `work` was called so many times; when it was called, and with which results."""
    clock, seen, calls = _Clock(), _Seen(), list[float]()

    async def counted(ref: Ref) -> Done | Gone:
        calls.append(clock.now)
        try:
            return await work(ref, len(calls))
        finally:
            if len(calls) >= times:
                workers.stop()

    workers = Workers(Queue(PACE), counted, seen, clock=Clock(monotonic=lambda: clock.now, wait=clock.wait))
    for name in names:
        workers.add(a_ref(name))
    await asyncio.wait_for(workers.run(count), timeout=10)
    return calls, seen.results


def test_the_workers_come_back_when_they_are_told_to() -> None:
    async def work(ref: Ref, call: int) -> Done | Gone:
        assert ref == a_ref()
        return Done(delay_seconds=5) if call < 3 else Done()

    calls, results = asyncio.run(served(work, times=4))
    assert calls == [pytest.approx(0.1), pytest.approx(5.1), pytest.approx(10.1), pytest.approx(610.1)]
    assert results == ["done"] * 4


@pytest.mark.parametrize(
    ("error", "delays", "result"),
    [
        pytest.param(NotReadyYet("busy", delay_seconds=7), [7, 14], "not_ready", id="not ready yet"),
        pytest.param(ClusterRefused("no", status=403, reason="Forbidden"), [30, 60], "refused", id="refused"),
        pytest.param(RuntimeError("a bug"), [1, 2], "error", id="a bug of ours"),
    ],
)
def test_a_failure_is_tried_again_later(error: Exception, delays: list[float], result: Result) -> None:
    async def work(_ref: Ref, _call: int) -> Done | Gone:
        raise error

    calls, results = asyncio.run(served(work, times=3))
    assert [after - before for before, after in itertools.pairwise(calls)] == pytest.approx(delays)
    assert results == [result] * 3


def test_what_is_gone_is_not_looked_at_again() -> None:
    async def work(ref: Ref, _call: int) -> Done | Gone:
        return Gone() if ref == a_ref("a") else Done(delay_seconds=1)

    calls, results = asyncio.run(served(work, times=4, names="ab"))
    assert results.count("gone") == 1
    assert len(calls) == 4


def test_workers_work_at_the_same_time_and_finish_what_they_have_begun() -> None:
    together = asyncio.Event()
    inside = 0

    async def work(_ref: Ref, _call: int) -> Done | Gone:
        nonlocal inside
        inside += 1
        if inside == 3:
            together.set()
        await together.wait()
        return Done()

    _, results = asyncio.run(served(work, times=3, names="abc", count=3))
    assert results == ["done"] * 3
