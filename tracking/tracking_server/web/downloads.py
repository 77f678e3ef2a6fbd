"""What a download is answered with: status, headers, the first chunk, and the rest when there is more. Blocks."""

from dataclasses import dataclass

from tracking_server.artifacts.store import Place, Reader, Stat
from tracking_server.web.asgi import Head
from tracking_server.web.conditions import (
    Verdict,
    has_conditions,
    range_applies,
    validators,
    verdict,
    wanted_range,
)
from tracking_server.web.media_types import attachment_headers
from tracking_server.web.responses import Headers

CHUNK_BYTES = 512 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """`reader` is None, and nothing is open, when `first` is all of `length`."""

    status: int
    headers: Headers
    length: int = 0
    first: bytes = b""
    reader: Reader | None = None


def find_head(place: Place, head: Head) -> Found:
    """The answer to HEAD: that of GET for the whole file, without its bytes."""
    stat = place.store.stat(place.key)
    return _unsent(head, stat) or Found(status=200, headers=_headers(place.key, stat, 0, stat.size_bytes))


def find(place: Place, head: Head) -> Found:
    """Whoever gets a reader closes it. Raises what a store raises."""
    wanted = wanted_range(head)
    if has_conditions(head):  # mostly, there is nothing to send: nothing is opened for that
        stat = place.store.stat(place.key)
        if unsent := _unsent(head, stat):
            return unsent
        if not range_applies(head, stat):
            wanted = None
    reader = place.store.open(place.key, wanted)
    try:
        found = _unsent(head, reader.stat) or _begun(place.key, reader, 200 if wanted is None else 206)
    except BaseException:
        reader.close()
        raise
    if found.reader is None:
        reader.close()
    return found


def _begun(key: str, reader: Reader, status: int) -> Found:
    headers = _headers(key, reader.stat, reader.start, reader.stop)
    if status == 206:
        part = f"bytes {reader.start}-{reader.stop - 1}/{reader.stat.size_bytes}"
        headers += ((b"content-range", part.encode()),)
    first = reader.read(CHUNK_BYTES)
    length = reader.stop - reader.start
    return Found(
        status=status, headers=headers, length=length, first=first, reader=None if len(first) == length else reader
    )


def _unsent(head: Head, stat: Stat) -> Found | None:
    match verdict(head, stat):
        case Verdict.SEND:
            return None
        case Verdict.NOT_MODIFIED:
            return Found(status=304, headers=validators(stat))
        case Verdict.FAILED:
            return Found(status=412, headers=(*validators(stat), (b"content-length", b"0")))


def _headers(key: str, stat: Stat, start: int, stop: int) -> Headers:
    return (
        *attachment_headers(key),
        *validators(stat),
        (b"accept-ranges", b"bytes"),
        (b"content-length", str(stop - start).encode()),
    )
