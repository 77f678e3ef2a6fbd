"""What is made of files, and made again when one has changed: secrets and certificates are replaced while we run."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeAlias, TypeVar

from tracking_server.errors import ConfigInvalid

T = TypeVar("T")

_Seen: TypeAlias = tuple[int, int, int] | None

logger = logging.getLogger(__name__)


class Watched(Generic[T]):
    """`make` raises ConfigInvalid. Once something was made, a fault in the files is told to the log alone, and what was
    made before goes on serving: files are often replaced in more than one step."""

    def __init__(self, make: Callable[[], T], files: Sequence[Path]) -> None:
        self._make = make
        self._files = files
        self._making = threading.Lock()
        self._seen = self._look()
        self._made = make()

    def now(self) -> T:
        seen = self._look()
        with self._making:
            if seen != self._seen:
                self._seen = seen
                self._make_again()
            return self._made

    def anew(self) -> T:
        """Made again, whatever the files look like."""
        with self._making:
            self._make_again()
            return self._made

    def _make_again(self) -> None:
        try:
            self._made = self._make()
        except ConfigInvalid as error:
            logger.warning("files for the server behind cannot be used", extra={"reason": error.message})

    def _look(self) -> tuple[_Seen, ...]:
        return tuple(_seen(file) for file in self._files)


def _seen(file: Path) -> _Seen:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
