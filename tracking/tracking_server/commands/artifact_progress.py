"""How far a transfer is: a bar where a person looks, nothing where a program does."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from tracking_server.transfer.files import Stopped

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar


class Progress:
    """Called from all threads of a transfer."""

    def __init__(self, bar: "ProgressBar[int] | None") -> None:
        self._bar = bar
        self._lock = threading.Lock()
        self._is_stopped = threading.Event()

    def planned(self, size_bytes: int) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.length = (self._bar.length or 0) + size_bytes
                self._bar.update(0)

    def advance(self, count: int) -> None:
        if self._is_stopped.is_set():
            raise Stopped
        with self._lock:
            if self._bar is not None:
                self._bar.update(count)

    def stop(self) -> None:
        self._is_stopped.set()


@contextmanager
def progress(label: str) -> Generator[Progress]:
    if not sys.stderr.isatty():
        yield Progress(None)
        return
    with click.progressbar(length=0, label=label, file=sys.stderr, show_pos=False) as bar:
        yield Progress(bar)
