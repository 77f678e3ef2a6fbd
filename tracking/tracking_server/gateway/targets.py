"""The path of a call at the server behind: made from the row of our table and checked values, never from what the
client sent; pure."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from tracking_server.artifacts.paths import InvalidPath, parse_folder
from tracking_server.errors import InvalidParameter

_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")
_QUERY = re.compile(rb"[\x21\x22\x24-\x7e]*")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\]|%[0-9A-Fa-f]{2}")
_PLAIN: Final = "-._~!$&'()*+,;=:@"
"""What a segment may have as it is (RFC 3986, pchar)."""


def target_of(path: str, parameters: Mapping[str, str], query_string: bytes) -> str:
    """`path` with its `{name}` and `{name*}` filled in, and the query as it came. Raises InvalidParameter."""

    def fill(parameter: re.Match[str]) -> str:
        value = parameters[parameter[1]]
        return _path(value) if parameter[2] else _segment(value)

    target = _PARAMETER.sub(fill, path)
    if not query_string:
        return target
    if not _QUERY.fullmatch(query_string):
        raise InvalidParameter("Invalid query string: it has characters that must be percent-encoded.")
    return f"{target}?{query_string.decode('ascii')}"


def _segment(value: str) -> str:
    """What another decoding would turn into something else is refused, as in the path of an artifact."""
    if value in {".", ".."} or _UNSAFE.search(value):
        raise InvalidPath(value, "it is not one plain segment")
    return quote(value, safe=_PLAIN)


def _path(value: str) -> str:
    parse_folder(value)
    return quote(value, safe=f"{_PLAIN}/")
