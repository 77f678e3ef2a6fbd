"""How far long work is, now and then in a line: what is done, the rate, and how long it will take."""

import time
from collections.abc import Callable
from typing import Final

EVERY_SECONDS: Final = 2.0


def say_nothing(_: str) -> None:
    pass


class Progress:
    def __init__(
        self, say: Callable[[str], None], total: int, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say = say
        self._total = total
        self._what = what
        self._clock = clock
        self._started = self._said = clock()
        self.done = 0

    def advance(self, number: int) -> None:
        self.done += number
        now = self._clock()
        if now - self._said >= EVERY_SECONDS:
            self._said = now
            self._say(self.line(now))

    def end(self, *, always: bool = False) -> None:
        """The last line, when there was one before, or `always` when there was anything to do."""
        if self._said != self._started or (always and self.done):
            self._say(self.line(self._clock()))

    def line(self, now: float) -> str:
        rate = self.done / (now - self._started) if now > self._started else 0.0
        left = f", about {max(0, self._total - self.done) / rate:,.0f} seconds left" if rate else ""
        return f"{self.done:,} of {self._total:,} {self._what}, {rate:,.0f} a second{left}"
