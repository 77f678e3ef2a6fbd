"""The few types of ASGI that we use, and a request as its headers say it."""

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

from tracking_server.errors import InvalidParameter

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """Nobody is there to answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    query_string: bytes
    headers: dict[bytes, bytes]
    """Lower-case names; of a header that comes twice, the last."""
    scheme: str

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def content_length(self) -> int | None:
        """The parser has refused what is not a number."""
        value = self.headers.get(b"content-length")
        return None if value is None else int(value)

    @property
    def base_url(self) -> str:
        """Where the client reached us. A proxy says by which scheme."""
        forwarded = self.header(b"x-forwarded-proto").lower()
        scheme = forwarded if forwarded in {"http", "https"} else self.scheme
        return f"{scheme}://{self.header(b'host')}"


def head_of(scope: Scope) -> Head:
    """Raises InvalidParameter for a path that is no text."""
    return Head(
        method=scope["method"],
        path=_decoded(scope["raw_path"]),
        query_string=scope["query_string"],
        headers=dict(scope["headers"]),
        scheme=scope["scheme"],
    )


def _decoded(raw_path: bytes) -> str:
    """Percent escapes are decoded here and nowhere else."""
    if b"%" not in raw_path:
        return raw_path.decode("ascii")
    try:
        return unquote_to_bytes(raw_path).decode()
    except UnicodeDecodeError:
        raise InvalidParameter("Invalid path: its percent escapes are not UTF-8.") from None
