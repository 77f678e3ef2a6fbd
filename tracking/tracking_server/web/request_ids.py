"""The name of a request, the same in its answer and in the log."""

import re
from collections.abc import Iterable
from secrets import token_hex

_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """That of whoever forwards the request, when it is harmless, else a new one."""
    for name, value in headers:
        if name == b"x-request-id" and _GIVEN.fullmatch(value):
            return value.decode()
    return token_hex(8)
