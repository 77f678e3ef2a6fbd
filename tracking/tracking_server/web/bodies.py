"""The body of a request, whole and bounded: by what its path takes, and by what all bodies together may hold."""

from collections.abc import Generator
from contextlib import contextmanager

from tracking_server.errors import TemporarilyUnavailable
from tracking_server.web.asgi import ClientGone, Head, Message, Receive
from tracking_server.web.failures import BodyTooLarge


class ByteBudget:
    """Bytes that may be held in memory at once. Belongs to one event loop."""

    def __init__(self, total_bytes: int) -> None:
        self._free = total_bytes

    def take(self, count: int) -> None:
        """Raises TemporarilyUnavailable at once when so much is not there."""
        if count > self._free:
            raise TemporarilyUnavailable("The server holds as many bytes of requests as it may. Try again.")
        self._free -= count

    def give(self, count: int) -> None:
        self._free += count

    @contextmanager
    def hold(self, count: int) -> Generator[None]:
        self.take(count)
        try:
            yield
        finally:
            self.give(count)


async def next_message(receive: Receive) -> Message:
    """The next part of a body. Raises ClientGone, also for a client that was so slow that its connection was closed."""
    message = await receive()
    if message["type"] != "http.request":
        raise ClientGone
    return message


async def read_body(head: Head, receive: Receive, limit_bytes: int, budget: ByteBudget) -> bytes:
    """The caller gives `len(body)` back to the budget. Raises BodyTooLarge, before reading where it can."""
    if (head.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    chunks: list[bytes] = []
    count = 0
    try:
        while await _read_part(receive, chunks, budget):
            count += len(chunks[-1])
            if count > limit_bytes:
                break
    except BaseException:
        budget.give(sum(map(len, chunks)))
        raise
    body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
    if len(body) > limit_bytes:
        budget.give(len(body))
        raise BodyTooLarge(limit_bytes)
    return body


async def _read_part(receive: Receive, chunks: list[bytes], budget: ByteBudget) -> bool:
    """Whether more will come."""
    message = await next_message(receive)
    chunk: bytes = message["body"]
    budget.take(len(chunk))
    chunks.append(chunk)
    more_body: bool = message["more_body"]
    return more_body
