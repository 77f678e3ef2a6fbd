"""Files that are read from any place."""

import io
import os
from typing import Final


class SeekableFile(io.RawIOBase):
    """`readinto`, which whoever inherits this has, reads at `_position` and moves it."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes: Final = size_bytes
        self._position: int = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size_bytes}[whence]
        self._position = start + offset
        return self._position
