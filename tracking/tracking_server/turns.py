"""Turns for what threads of one process do worse at the same time than one after the other.

A call that lets go of the interpreter for a microsecond, as SQLite's driver does at each row and the file system at
each file, wakes a thread that waits for it, mostly for nothing. Thousands of such calls in four threads take up to four
times the processor that they take one after the other.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class Turns:
    """Nobody waits longer than `patience_seconds`: what takes longer waits for a disk, where threads do help."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Whether it is a turn, to be given back, or patience has come to its end."""
        return self._lock.acquire(timeout=self._patience_seconds)

    def give(self) -> None:
        self._lock.release()

    @contextmanager
    def turn(self) -> Generator[None]:
        is_turn = self.take()
        try:
            yield
        finally:
            if is_turn:
                self.give()
