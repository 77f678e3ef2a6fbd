"""Range and conditional headers of a download (RFC 9110, sections 13 and 14) to what they ask for; pure."""

import re
from email.utils import formatdate, parsedate_to_datetime
from enum import Enum, auto

from tracking_server.artifacts.store import ByteRange, FinalBytes, Stat, Wanted
from tracking_server.web.asgi import Head
from tracking_server.web.responses import Headers

_RANGE = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE)


_CONDITIONS = (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range")


class Verdict(Enum):
    SEND = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()


def wanted_range(head: Head) -> Wanted:
    """None, for the whole file, when there is no range, when it is not understood, and when there are several."""
    found = _RANGE.fullmatch(head.header(b"range"))
    if found is None:
        return None
    first, last = found[1], found[2]
    if not first:
        return FinalBytes(count=int(last)) if last else None
    if last and int(last) < int(first):
        return None
    return ByteRange(first=int(first), last=int(last) if last else None)


def has_conditions(head: Head) -> bool:
    return any(name in head.headers for name in _CONDITIONS)


def range_applies(head: Head, stat: Stat) -> bool:
    """Whether the file is still the one that If-Range speaks of."""
    condition = head.header(b"if-range").strip()
    return condition in {"", entity_tag(stat), http_date(stat)}


def verdict(head: Head, stat: Stat) -> Verdict:
    if if_match := head.header(b"if-match"):
        if not _names(if_match, stat):
            return Verdict.FAILED
    elif _is_newer(stat, head.header(b"if-unmodified-since")) is True:
        return Verdict.FAILED
    if if_none_match := head.header(b"if-none-match"):
        return Verdict.NOT_MODIFIED if _names(if_none_match, stat) else Verdict.SEND
    return Verdict.NOT_MODIFIED if _is_newer(stat, head.header(b"if-modified-since")) is False else Verdict.SEND


def validators(stat: Stat) -> Headers:
    return (
        (b"etag", entity_tag(stat).encode()),
        (b"last-modified", http_date(stat).encode()),
        (b"cache-control", b"private, no-cache"),
    )


def entity_tag(stat: Stat) -> str:
    return f'"{stat.etag}"'


def http_date(stat: Stat) -> str:
    return formatdate(int(stat.modified_seconds), usegmt=True)


def _names(condition: str, stat: Stat) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in condition.split(",")}
    return "*" in tags or entity_tag(stat) in tags


def _is_newer(stat: Stat, date: str) -> bool | None:
    """None when there is no date, or none that can be read."""
    if not date:
        return None
    try:
        return int(stat.modified_seconds) > parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None
