"""Bytes between the socket and the store: chunk by chunk, each side waiting for the other, within one budget of memory.

Threads are used for the store alone, never to wait for a client. A client that goes away ends its transfer: an upload
leaves nothing, a download stops reading the store.
"""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from tracking_server.artifacts.store import Place, Reader, Stat, Writer
from tracking_server.errors import InvalidParameter
from tracking_server.web.asgi import ClientGone, Head, Receive
from tracking_server.web.bodies import ByteBudget, next_message
from tracking_server.web.downloads import CHUNK_BYTES, Found, find, find_head
from tracking_server.web.failures import BodyTooLarge
from tracking_server.web.lanes import Lane, in_peace, until_gone
from tracking_server.web.responses import Exchange
from tracking_server.web.route import Upload
from tracking_server.web.threads import WorkPool

_SHARE_BYTES = 3 * CHUNK_BYTES
"""What one transfer holds at most: a chunk in hand, the next one, and what its connection has buffered."""

_MOST_PARTS = 64
"""Of a chunk: a client that sends a few bytes at a time costs more than its bytes."""


class Transfers:
    """Belongs to one event loop."""

    def __init__(self, pool: WorkPool, budget: ByteBudget) -> None:
        self._pool = pool
        self._budget = budget

    async def upload(self, exchange: Exchange, head: Head, place: Place, row: Upload[Any]) -> Stat:
        """The body into the store. Nothing of it is there unless all of it is."""
        limit_bytes = row.body_limit_bytes
        check_size(head.content_length or 0, limit_bytes)
        with self._budget.hold(_share_of(head.content_length, place.store.writer_bytes)):
            message = await next_message(exchange.receive)
            body: bytes = message["body"]
            if not message["more_body"]:
                if not body and not row.takes_nothing:
                    raise InvalidParameter("Request must specify data.")
                check_size(len(body), limit_bytes)
                return await self._pool.run(partial(_put, place, body))
            writer = await self._pool.run(partial(place.store.create, place.key))
            lane = Lane(self._pool)
            try:
                return await _fill(writer, lane, Incoming(body, exchange.receive, limit_bytes, CHUNK_BYTES))
            except BaseException:
                await in_peace(lane.end(writer.abort))
                raise

    async def download(self, exchange: Exchange, head: Head, place: Place) -> None:
        look = find_head if head.method == "HEAD" else find
        found = await self._pool.run(partial(look, place, head))
        if found.reader is None:
            await exchange.start(found.status, found.headers)
            await exchange.send_last(found.first)
            return
        lane = Lane(self._pool)
        try:
            with self._budget.hold(min(found.length, _SHARE_BYTES)):
                await exchange.start(found.status, found.headers)
                await self._send(exchange, lane, found, found.reader)
        finally:
            await in_peace(lane.end(found.reader.close))

    async def _send(self, exchange: Exchange, lane: Lane, found: Found, reader: Reader) -> None:
        """Reads the next chunk while one is being sent, and stops when the client does."""
        gone = asyncio.ensure_future(until_gone(exchange.receive))
        try:
            chunk, left = found.first, found.length - len(found.first)
            while left:
                await lane.begin(partial(reader.read, CHUNK_BYTES))
                await exchange.send_part(chunk)
                chunk = await lane.result()
                left -= len(chunk)
                if gone.done():
                    raise ClientGone
            await exchange.send_last(chunk)
        finally:
            gone.cancel()


class Incoming:
    """A body of which `first` has come and more is to come, by chunks. The parts of a chunk stay as they came: putting
    them together would copy them."""

    def __init__(self, first: bytes, receive: Receive, limit_bytes: int | None, chunk_bytes: int) -> None:
        self._parts = [first]
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._chunk_bytes = chunk_bytes
        self._received = len(first)
        self.has_more = True

    async def chunk(self) -> list[bytes]:
        """The next one. Raises ClientGone and BodyTooLarge."""
        parts, self._parts = self._parts, []
        held = sum(map(len, parts))
        while self.has_more and held < self._chunk_bytes and len(parts) < _MOST_PARTS:
            message = await next_message(self._receive)
            part: bytes = message["body"]
            parts.append(part)
            held += len(part)
            self._received += len(part)
            self.has_more = message["more_body"]
            check_size(self._received, self._limit_bytes)
        return parts


async def _fill(writer: Writer, lane: Lane, incoming: Incoming) -> Stat:
    """Writes a chunk while the next one comes."""
    while incoming.has_more:
        parts = await incoming.chunk()
        await lane.begin(partial(_write if incoming.has_more else _finish, writer, parts))
        del parts  # from here on, the thread alone holds them
    stat: Stat = await lane.result()
    return stat


def _put(place: Place, body: bytes) -> Stat:
    with place.store.create(place.key) as writer:
        return _finish(writer, [body])


def _write(writer: Writer, parts: Sequence[bytes]) -> None:
    for part in parts:
        if part:
            writer.write(part)


def _finish(writer: Writer, parts: Sequence[bytes]) -> Stat:
    _write(writer, parts)
    return writer.commit()


def check_size(size_bytes: int, limit_bytes: int | None) -> None:
    if limit_bytes is not None and size_bytes > limit_bytes:
        raise BodyTooLarge(limit_bytes)


def _share_of(content_length: int | None, writer_bytes: int) -> int:
    """Of an upload: what is on its way through here, and what its writer holds of it."""
    most = _SHARE_BYTES + writer_bytes
    return most if content_length is None else min(2 * content_length, most)
