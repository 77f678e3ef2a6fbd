"""What follows from a try: it has arrived, it is tried again later, or it is given up. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

RETRIED_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
LONGEST_PAUSE_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 300.0
"""Of what a receiver may ask for with Retry-After."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """`body` is its beginning."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreached:
    """No answer. `is_final`: another try would end in the same way."""

    why: str
    is_final: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """Broken off, because this process ends."""


Reply: TypeAlias = Answered | Unreached | Stopped


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class TryAgain:
    after_seconds: float
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenUp:
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftToOthers:
    """The try does not count."""


Outcome: TypeAlias = Arrived | TryAgain | GivenUp | LeftToOthers


def outcome_of(reply: Reply, *, tries: int, max_retries: int, jitter: float, now_seconds: float) -> Outcome:
    """`tries` counts this one; `jitter` is from 0 to 1."""
    match reply:
        case Stopped():
            return LeftToOthers()
        case Answered(status=status) if 200 <= status < 300:
            return Arrived()
        case Answered(status=status) if 300 <= status < 400:
            return GivenUp(why=f"answered {status}, and redirects are not followed")
        case Answered(status=status, headers=headers):
            why, is_final = f"answered {status}", status not in RETRIED_STATUSES
            asked = _asked_for(headers, now_seconds)
        case Unreached(why=why, is_final=is_final):
            asked = 0.0
    if is_final or tries > max_retries:
        return GivenUp(why=why)
    pause = min(2.0 ** min(tries - 1, 30), LONGEST_PAUSE_SECONDS) + jitter
    return TryAgain(after_seconds=max(pause, asked), why=why)


def _asked_for(headers: Mapping[str, str], now_seconds: float) -> float:
    """Retry-After, which is a number of seconds or a date."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        seconds = float(text[:10])
    else:
        try:
            date = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now_seconds
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
