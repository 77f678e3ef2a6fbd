"""The URL of a webhook, taken apart and checked as far as that is possible without asking for its address. Pure."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from tracking_server.errors import InvalidParameter

_PORTS: Final = {"http": 80, "https": 443}
_IN_A_TARGET: Final = "!#$%&'()*+,/:;=?@[]~"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """`host` is in ASCII, without the brackets of IPv6; `path` has the query."""

    is_encrypted: bool
    host: str
    port: int
    path: str
    authorization: str | None = None
    """The header, when the URL has a user."""


def parse_url(url: str, schemes: Sequence[str]) -> Target:
    """Raises InvalidParameter."""
    if not url.strip():
        raise InvalidParameter(f"Webhook URL cannot be empty or just whitespace: {url!r}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidParameter(f"Invalid webhook URL {url!r}: {error!r}") from error
    if parts.scheme not in schemes or parts.scheme not in _PORTS:
        raise InvalidParameter(
            f"Invalid webhook URL scheme: {parts.scheme!r}. Allowed schemes are: {', '.join(schemes)}."
        )
    if not parts.hostname:
        raise InvalidParameter(f"Webhook URL must include a hostname: {url!r}")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise InvalidParameter(f"Invalid webhook URL {url!r}: it has white space or control characters.")
    return Target(
        is_encrypted=parts.scheme == "https",
        host=_ascii_host(parts.hostname, url),
        port=_PORTS[parts.scheme] if port is None else port,
        path=quote(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}", safe=_IN_A_TARGET),
        authorization=_authorization(parts),
    )


def _ascii_host(host: str, url: str) -> str:
    try:
        encoded = host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidParameter(f"Invalid webhook URL {url!r}: its hostname cannot be written in DNS.") from error
    if "%" in encoded:
        raise InvalidParameter(f"Invalid webhook URL {url!r}: its hostname has a percent sign.")
    return encoded


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None:
        return None
    user, password = unquote(parts.username), unquote(parts.password or "")
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"
