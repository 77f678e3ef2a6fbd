"""Which headers pass from the client to the server behind, and back; pure. All others stay where they came from."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tracking_server.errors import NotImplementedHere
from tracking_server.settings import Secret

_ASKED: Final = (
    b"accept",
    b"content-type",
    b"if-match",
    b"if-modified-since",
    b"if-none-match",
    b"if-range",
    b"if-unmodified-since",
    b"range",
    b"traceparent",
    b"user-agent",
    b"x-mlflow-client-version",
    b"x-mlflow-workspace",
)
_TOLD: Final = frozenset(
    {
        "accept-ranges",
        "allow",
        "cache-control",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-range",
        "content-type",
        "etag",
        "expires",
        "last-modified",
        "retry-after",
    }
)
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ATTACHMENT: Final = "attachment"

Pairs = Sequence[tuple[str, str]]


def request_headers(given: Mapping[bytes, bytes], *, pseudonym: str, request_id: str) -> Pairs:
    """Raises NotImplementedHere for a call that has been here already: it would go round for ever."""
    via = given.get(b"via", b"").decode("latin-1")
    if pseudonym in via:
        raise NotImplementedHere(
            "The tracking server behind this one is this one: --backend-store-uri (MLFLOW_BACKEND_STORE_URI,"
            " MLFLOW_TRACKING_URI) leads back here. Name the server that keeps the data."
        )
    passed = [(name.decode(), given[name].decode("latin-1")) for name in _ASKED if name in given]
    own = [
        ("accept-encoding", given.get(b"accept-encoding", b"identity").decode("latin-1")),
        ("via", f"{via}, 1.1 {pseudonym}" if via else f"1.1 {pseudonym}"),
        ("x-request-id", request_id),
    ]
    return [(name, value) for name, value in (*passed, *own) if _VALUE.fullmatch(value)]


def with_authorization(headers: Pairs, authorization: Secret | None) -> Pairs:
    if authorization is None:
        return headers
    return [*headers, ("authorization", authorization.reveal())]


def answer_headers(told: Iterable[tuple[str, str]], *, is_file: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Whatever the server behind says, a browser runs nothing of it, and takes a file for a file."""
    values = {name: value for name, value in _clean(told) if name in _TOLD}
    if is_file and not values.get("content-disposition", "").lower().startswith(_ATTACHMENT):
        values["content-disposition"] = _ATTACHMENT
    values["content-security-policy"] = "sandbox"
    return tuple((name.encode(), value.encode("latin-1")) for name, value in values.items())


def _clean(told: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for name, value in told:
        unfolded = _FOLD.sub(" ", value).strip()
        if _VALUE.fullmatch(unfolded):
            yield name.lower(), unfolded
