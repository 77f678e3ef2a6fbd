"""A query string to its keys and values; pure."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from tracking_server.errors import InvalidParameter

_FIELD_LIMIT = 10_000
_EMPTY: Final[Mapping[str, Sequence[str]]] = {}


def parse_query(query_string: bytes) -> Mapping[str, Sequence[str]]:
    if not query_string:
        return _EMPTY
    try:
        return parse_qs(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELD_LIMIT
        )
    except UnicodeDecodeError:
        raise InvalidParameter("Invalid query string: its percent escapes are not UTF-8.") from None
    except ValueError:
        raise InvalidParameter(f"Invalid query string: it has more than {_FIELD_LIMIT} fields.") from None
