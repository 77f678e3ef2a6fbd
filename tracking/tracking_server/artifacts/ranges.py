"""A wanted range to the bytes that are meant, and to the headers that ask a store for it; pure."""

import re
from typing import assert_never

from tracking_server.artifacts.store import ByteRange, FinalBytes, RangeNotSatisfiable, Wanted


def span(wanted: Wanted, size_bytes: int) -> tuple[int, int]:
    """Start and stop (not included). Raises RangeNotSatisfiable when not a single byte of the range is there."""
    match wanted:
        case None:
            return 0, size_bytes
        case ByteRange(first=first, last=last):
            start, stop = first, size_bytes if last is None else min(last + 1, size_bytes)
        case FinalBytes(count=count):
            start, stop = max(size_bytes - count, 0), size_bytes
        case _ as never:
            assert_never(never)
    if start >= stop:
        raise RangeNotSatisfiable(size_bytes)
    return start, stop


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


def range_header(wanted: ByteRange | FinalBytes) -> str:
    match wanted:
        case ByteRange(first=first, last=last):
            return f"bytes={first}-{'' if last is None else last}"
        case FinalBytes(count=count):
            return f"bytes=-{count}"
        case _ as never:
            assert_never(never)


def total_of(content_range: str) -> tuple[int, int]:
    """The first byte, and the size of the whole file."""
    found = _CONTENT_RANGE.fullmatch(content_range.strip())
    if found is None:
        raise ValueError(f"{content_range!r} is no Content-Range of bytes with a size.")
    return int(found[1]), int(found[3])
