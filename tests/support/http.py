"""Plain HTTP for tests: the standard library, on a connection that the test holds in its hand."""

import http.client
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def error_code(self) -> str:
        code: str = self.json["error_code"]
        return code


@contextmanager
def connection_to(url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> Generator[http.client.HTTPConnection]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        yield connection
    finally:
        connection.close()


def call(
    url: str,
    method: str,
    path: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """`path` goes over the wire as it is. A body of parts is sent chunked."""
    with connection_to(url) as connection:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        return reply_on(connection)


def call_json(url: str, method: str, path: str, document: object) -> Reply:
    return call(url, method, path, msgspec.json.encode(document), {"Content-Type": "application/json"})


def reply_on(connection: http.client.HTTPConnection) -> Reply:
    response = connection.getresponse()
    return Reply(
        status=response.status,
        headers={name.lower(): value for name, value in response.getheaders()},
        body=response.read(),
    )
