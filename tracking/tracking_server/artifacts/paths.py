"""Text from outside to a key of the store, and nothing that is not one; pure.

The edge decodes percent escapes once. What would still change under another decoding is refused here, so no reader of
a key, now or later, can see another path in it than the one that was checked.
"""

import re
from typing import Final

from tracking_server.errors import InvalidParameter

UPLOADING_PREFIX: Final = ".artifact.uploading."
"""How names of unfinished uploads begin, here and in MLflow's server. No key has such a segment."""

_SEGMENT_LIMIT_BYTES = 255
_KEY_LIMIT_BYTES = 3072
_SEGMENT_LIMIT = 128
_SHOWN_CHARACTERS = 200

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")


class InvalidPath(InvalidParameter):
    """`reason` says what is wrong with it."""

    def __init__(self, path: str, reason: str) -> None:
        shown = path[:_SHOWN_CHARACTERS].encode("ascii", "backslashreplace").decode()
        super().__init__(f"Invalid path {shown!r}: {reason}.")


class PathLeadsOut(InvalidPath):
    """A client is told what MLflow's server tells, to the letter; the text of the exception has the reason."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.message = "Invalid path"


def parse_key(path: str) -> str:
    """The key of a file. Raises InvalidPath for everything that is not a plain relative path."""
    key = parse_folder(path)
    if not key:
        raise InvalidPath(path, "it names no file")
    if path.endswith("/"):
        raise InvalidPath(path, "it ends in a slash")
    return key


def parse_folder(path: str) -> str:
    """The key of a folder; empty for the root. One slash at the end is how some clients say folder."""
    if not path:
        return ""
    _check_characters(path)
    key = path.removesuffix("/")
    if path.startswith("/") or _DRIVE.match(path) or path[:5].lower() == "file:":
        raise PathLeadsOut(path, "it is absolute")
    segments = key.split("/")
    if len(segments) > _SEGMENT_LIMIT:
        raise InvalidPath(path, f"it has more than {_SEGMENT_LIMIT} segments")
    for segment in segments:
        _check_segment(path, segment)
    return key


def join(folder: str, key: str) -> str:
    return f"{folder}/{key}" if folder and key else folder or key


def name_of(key: str) -> str:
    return key.rpartition("/")[2]


def _check_characters(path: str) -> None:
    if "\\" in path:
        raise InvalidPath(path, "it has a backslash")
    if "#" in path:
        raise PathLeadsOut(path, "it has a #")
    if _CONTROL.search(path):
        raise InvalidPath(path, "it has a control character")
    if _ESCAPE.search(path):
        raise PathLeadsOut(path, "it is percent-encoded twice")
    try:
        size_bytes = len(path.encode())
    except UnicodeEncodeError:
        raise InvalidPath(path, "it is not Unicode text") from None
    if size_bytes > _KEY_LIMIT_BYTES:
        raise InvalidPath(path, f"it is longer than {_KEY_LIMIT_BYTES} bytes")


def _check_segment(path: str, segment: str) -> None:
    if not segment:
        raise InvalidPath(path, "it has an empty segment")
    if segment in {".", ".."}:
        raise PathLeadsOut(path, f"it has the segment {segment!r}")
    if segment.startswith(UPLOADING_PREFIX):
        raise InvalidPath(path, f"names that start with {UPLOADING_PREFIX!r} are those of unfinished uploads")
    if len(segment.encode()) > _SEGMENT_LIMIT_BYTES:
        raise InvalidPath(path, f"a segment is longer than {_SEGMENT_LIMIT_BYTES} bytes")
