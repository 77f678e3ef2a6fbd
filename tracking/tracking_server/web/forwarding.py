"""A call passed on to the server behind, and its answer passed back: part by part, each side waiting for the other.

Threads are used for the other server alone, never to wait for a client. A client that goes away ends its call there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Final, TypeVar

from tracking_server.gateway.calls import CHUNK_BYTES, Answer, AnsweredEarly, Asked, Call
from tracking_server.gateway.failures import UpstreamUnavailable
from tracking_server.gateway.headers import request_headers
from tracking_server.gateway.targets import target_of
from tracking_server.web.asgi import ClientGone, Head, Receive
from tracking_server.web.bodies import ByteBudget, next_message, read_body
from tracking_server.web.lanes import Lane, in_peace, until_gone
from tracking_server.web.responses import PART_BYTES, Exchange
from tracking_server.web.route import BODY_LIMIT_BYTES, Forwarded
from tracking_server.web.threads import WorkPool
from tracking_server.web.transfers import Incoming, check_size

T = TypeVar("T")

_SHARE_BYTES: Final = 3 * CHUNK_BYTES
"""What one call holds at most of a body that passes through: two parts in hand, and what its connection has."""
_LOOK_SECONDS: Final = 1.0
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Forwarding:
    """Calls and files have threads of their own, so that neither waits for the other."""

    def __init__(self, *, calls: WorkPool, files: WorkPool, bodies: ByteBudget, streams: ByteBudget) -> None:
        self._calls = calls
        self._files = files
        self._bodies = bodies
        self._streams = streams

    async def forward(self, exchange: Exchange, head: Head, row: Forwarded, path_parameters: Mapping[str, str]) -> None:
        asked = Asked(
            method=head.method,
            target=target_of(row.path, path_parameters, head.query_string),
            headers=request_headers(head.headers, pseudonym=row.upstream.pseudonym, request_id=exchange.request_id),
            is_file=row.is_download,
        )
        if row.is_upload:
            check_size(head.content_length or 0, row.body_limit_bytes)
            with self._streams.hold(_SHARE_BYTES):
                await self._upload(exchange, head, row, asked)
        else:
            await self._call(exchange, head, row, asked)

    async def _call(self, exchange: Exchange, head: Head, row: Forwarded, asked: Asked) -> None:
        body = None
        if head.method in _WITH_BODY:
            body = await read_body(head, exchange.receive, row.body_limit_bytes or BODY_LIMIT_BYTES, self._bodies)
        try:
            await self._ask(self._files if row.is_download else self._calls, exchange, row, asked, body)
        finally:
            self._bodies.give(len(body or b""))

    async def _ask(self, pool: WorkPool, exchange: Exchange, row: Forwarded, asked: Asked, body: bytes | None) -> None:
        """With a body that is here."""
        with _watching(exchange.receive) as client:
            call, answer = await _tried(row, asked, lambda call: pool.run(partial(call.ask, body)), client)
            with _ending(call):
                await self._pass_back(pool, exchange, call, answer, client)

    async def _upload(self, exchange: Exchange, head: Head, row: Forwarded, asked: Asked) -> None:
        message = await next_message(exchange.receive)
        first: bytes = message["body"]
        check_size(len(first), row.body_limit_bytes)
        if not message["more_body"]:
            await self._ask(self._files, exchange, row, asked, first)
            return
        call, _ = await _tried(row, asked, lambda call: self._files.run(partial(call.begin, head.content_length)))
        with _ending(call):
            answer = await _sent(
                self._files, call, Incoming(first, exchange.receive, row.body_limit_bytes, CHUNK_BYTES)
            )
            with _watching(exchange.receive) as client:
                client.follow(call)
                await self._pass_back(self._files, exchange, call, answer, client)

    async def _pass_back(
        self, pool: WorkPool, exchange: Exchange, call: Call, answer: Answer, client: "_Client"
    ) -> None:
        """Reads the next part while one is being sent, and stops when the client does."""
        if answer.is_whole and len(answer.first) <= PART_BYTES:
            await exchange.start(answer.status, answer.headers)
            await exchange.send_last(answer.first)
            return
        lane = Lane(pool)
        with self._streams.hold(_SHARE_BYTES):
            try:
                await exchange.start(answer.status, answer.headers)
                part = answer.first
                while part:
                    await lane.begin(call.read)
                    await exchange.send_part(part)
                    part = await lane.result()
                    if client.is_gone:
                        raise ClientGone
                await exchange.send_last(b"")
            finally:
                await in_peace(lane.end(call.end))


async def _tried(
    row: Forwarded, asked: Asked, step: Callable[[Call], Awaitable[T]], client: "_Client | None" = None
) -> tuple[Call, T]:
    """The first step of a call, tried again where that is safe. Whoever gets the call ends it."""
    attempt = 0
    while True:
        call = row.upstream.call(asked)
        try:
            if client is not None:
                client.follow(call)
            with _in_time(call):
                return call, await step(call)
        except UpstreamUnavailable as error:
            call.end()
            if client is not None and client.is_gone:
                raise ClientGone from error
            wait_seconds = row.upstream.wait_before(attempt, error, asked)
            if wait_seconds is None:
                raise
        except BaseException:
            call.end()
            raise
        attempt += 1
        await asyncio.sleep(wait_seconds)


async def _sent(pool: WorkPool, call: Call, incoming: Incoming) -> Answer:
    """Sends a part while the next one comes."""
    lane = Lane(pool)
    try:
        while incoming.has_more:
            parts = await incoming.chunk()
            await lane.begin(partial(call.send, parts))
            del parts  # from here on, the thread alone holds them
        await lane.result()
    except AnsweredEarly:
        pass
    except BaseException:
        call.end()
        await in_peace(lane.end(call.end))
        raise
    return await pool.submit(call.finish)


class _Client:
    """Whether the client is still there, once all of its body was read. One that is not ends its call."""

    def __init__(self, gone: "asyncio.Future[None]") -> None:
        self._gone = gone
        self._call: Call | None = None
        gone.add_done_callback(self._end)

    @property
    def is_gone(self) -> bool:
        return self._gone.done()

    def follow(self, call: Call) -> None:
        self._call = call
        if self.is_gone:
            call.end()

    def _end(self, _: "asyncio.Future[None]") -> None:
        if self._call is not None:
            self._call.end()


@contextmanager
def _watching(receive: Receive) -> Generator[_Client]:
    gone = asyncio.ensure_future(until_gone(receive))
    try:
        yield _Client(gone)
    finally:
        gone.cancel()


@contextmanager
def _ending(call: Call) -> Generator[None]:
    try:
        with _in_time(call):
            yield
    finally:
        call.end()


@contextmanager
def _in_time(call: Call) -> Generator[None]:
    """Ends the call when a step of it takes too long, also one that always goes on a little."""
    watch = _Watch(call)
    try:
        yield
    finally:
        watch.stop()


class _Watch:
    """A timer costs little next to a call, and a task would cost more."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        if self._call.is_overdue(time.monotonic()):
            self._call.expire()
        else:
            self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
