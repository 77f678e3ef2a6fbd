"""What object stores keep and tell beside the bytes of a file; pure."""

import mimetypes
from email.utils import parsedate_to_datetime


def media_type(name: str) -> str:
    """A packed file is stored as it is, and never called text that happens to be packed: clients would unpack it."""
    guessed, encoding = mimetypes.guess_type(name, strict=False)
    return guessed if guessed and not encoding else "application/octet-stream"


def seconds_of(date: str) -> float:
    """Of an HTTP date, since the epoch; 0 for what is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return 0.0
