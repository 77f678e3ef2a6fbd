"""A wanted range and the size of a file to the bytes that are meant; pure."""

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
