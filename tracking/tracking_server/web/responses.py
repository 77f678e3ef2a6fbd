"""An answer, whole or in parts, on its way to the client; and the headers that every answer has."""

from dataclasses import dataclass
from typing import TypeAlias

from tracking_server.web.asgi import Receive, Send

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

JSON_TYPE = b"application/json"
PART_BYTES = 256 * 1024
"""A larger body is sent in parts, each when the client has taken most of the one before."""
NO_CONTENT = 204
"""Such an answer has no body, and no headers about one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: bytes = JSON_TYPE
    headers: Headers = ()


@dataclass(kw_only=True, slots=True)
class Exchange:
    """One request being answered: the two ends of its connection, and what has been sent so far."""

    request_id: str
    receive: Receive
    send: Send
    common_headers: Headers = ()
    status: int = 0
    """Zero until the answer has begun."""
    sent_bytes: int = 0
    is_probe: bool = False
    """Probes come every few seconds: in the log they would hide all else."""

    async def respond(self, response: Response) -> None:
        headers = response.headers
        if response.status != NO_CONTENT:
            length = str(len(response.body)).encode()
            headers += ((b"content-length", length), (b"content-type", response.content_type))
        await self.start(response.status, headers)
        rest = response.body
        if len(rest) > PART_BYTES:
            whole = memoryview(rest)
            last = (len(whole) - 1) // PART_BYTES * PART_BYTES
            for begin in range(0, last, PART_BYTES):
                await self.send_part(bytes(whole[begin : begin + PART_BYTES]))
            rest = bytes(whole[last:])
        await self.send_last(rest)

    async def start(self, status: int, headers: Headers) -> None:
        self.status = status
        await self.send(
            {"type": "http.response.start", "status": status, "headers": [*headers, *self.common_headers]},
        )

    async def send_part(self, chunk: bytes) -> None:
        self.sent_bytes += len(chunk)
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})

    async def send_last(self, chunk: bytes) -> None:
        self.sent_bytes += len(chunk)
        await self.send({"type": "http.response.body", "body": chunk, "more_body": False})
