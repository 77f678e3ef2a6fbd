"""A sequence of calls after which the servers differ, made shorter as long as they still do."""

import time
from collections.abc import Callable, Sequence

from tests.support.parity.calls import Call


def shrunk(calls: Sequence[Call], differ: Callable[[Sequence[Call]], bool], seconds: float) -> list[Call]:
    """Leaves out halves, then quarters, down to single calls; the last call is the one that showed it."""
    deadline = time.monotonic() + seconds
    kept, last = list(calls[:-1]), calls[-1]
    size = max(1, len(kept) // 2)
    while kept and time.monotonic() < deadline:
        found = False
        for start in reversed(range(0, len(kept), size)):
            fewer = kept[:start] + kept[start + size :]
            if time.monotonic() < deadline and differ([*fewer, last]):
                kept, found = fewer, True
        if size == 1 and not found:
            break
        size = max(1, size // 2)
    return [*kept, last]
