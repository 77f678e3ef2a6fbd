"""The ASGI callable: checks a request at the edge, finds its row in the table, and has it answered.

Services run in threads of the core pool, transfers use a pool of their own, probes wait for neither. What is needed to
answer is opened when the server process starts, so after the fork.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, assert_never

from tracking_server.errors import EndpointNotFound, PermissionDenied, TemporarilyUnavailable, TrackingError
from tracking_server.services.context import Context
from tracking_server.web.access_log import log_access
from tracking_server.web.asgi import ClientGone, Head, Receive, Scope, Send, head_of
from tracking_server.web.bodies import ByteBudget, read_body
from tracking_server.web.cross_origin import CrossOrigin
from tracking_server.web.failures import MethodNotAllowed, failure_response, internal_error
from tracking_server.web.hosts import HostRule
from tracking_server.web.queries import parse_query
from tracking_server.web.request_ids import request_id_of
from tracking_server.web.responses import NO_CONTENT, PART_BYTES, Exchange, Headers, Response
from tracking_server.web.route import Download, Fixed, Forwarded, Probe, Route, Row, Upload
from tracking_server.web.routing import Match, RouteTable, WrongMethod
from tracking_server.web.threads import WorkPool
from tracking_server.web.transfers import Transfers
from tracking_server.wire.raw import RawRequest

logger = logging.getLogger(__name__)

WAITING_LIMIT = 256
"""Calls that may wait for a thread, of each pool: more would be answered too late to matter."""
TRANSFER_THREADS = 8
TRANSFER_BUDGET_BYTES = 128 * 1024 * 1024
BODY_BUDGET_BYTES = 256 * 1024 * 1024
ANSWER_BUDGET_BYTES = 256 * 1024 * 1024
"""Of answers that are larger than a part: they are held until the client has taken them."""

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """What every request has to pass. `hosts` and `origins` are None when they are not checked."""

    hosts: HostRule | None
    cross_origin: CrossOrigin | None
    common_headers: Headers = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Running:
    """What one server process answers with."""

    context: Context
    core: WorkPool
    transfer_pool: WorkPool
    transfers: Transfers
    probes: WorkPool
    bodies: ByteBudget
    streams: ByteBudget
    answers: ByteBudget


class Application:
    """`open_context` is entered once in each server process; `core_threads` is what its database pool can serve."""

    def __init__(
        self,
        *,
        table: RouteTable,
        edge: Edge,
        open_context: Callable[[], AbstractContextManager[Context]],
        core_threads: int,
    ) -> None:
        self._table = table
        self._edge = edge
        self._open_context = open_context
        self._core_threads = core_threads
        self._running: _Running | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._serve(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case other:
                raise ValueError(f"unexpected ASGI scope {other!r}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        with self._open_context() as context:
            running = self._start(context)
            self._running = running
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._running = None
            for pool in (running.core, running.transfer_pool):
                pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _start(self, context: Context) -> _Running:
        transfer_pool = WorkPool("transfers", threads=TRANSFER_THREADS, waiting_limit=WAITING_LIMIT)
        streams = ByteBudget(TRANSFER_BUDGET_BYTES)
        return _Running(
            context=context,
            core=WorkPool("requests", threads=self._core_threads, waiting_limit=WAITING_LIMIT),
            transfer_pool=transfer_pool,
            transfers=Transfers(transfer_pool, streams),
            probes=WorkPool("probes", threads=1, waiting_limit=WAITING_LIMIT),
            bodies=ByteBudget(BODY_BUDGET_BYTES),
            streams=streams,
            answers=ByteBudget(ANSWER_BUDGET_BYTES),
        )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = request_id_of(scope["headers"])
        exchange = Exchange(
            request_id=request_id,
            receive=receive,
            send=send,
            common_headers=(*self._edge.common_headers, (b"x-request-id", request_id.encode())),
        )
        error_code = ""
        try:
            await self._answer(exchange, scope)
        except ClientGone:
            error_code = "CANCELLED"
        except TrackingError as error:
            error_code = error.error_code
            await _fail(exchange, failure_response(error))
        except Exception:
            error_code = "INTERNAL_ERROR"
            logger.exception("unexpected error", extra={"request_id": request_id, "path": scope["path"]})
            await _fail(exchange, internal_error(request_id))
        finally:
            log_access(scope, exchange, seconds=time.perf_counter() - started, error_code=error_code)

    async def _answer(self, exchange: Exchange, scope: Scope) -> None:
        head = head_of(scope)
        found = self._table.find(head.method, head.path)
        self._check_host(head, found)
        if self._edge.cross_origin is not None:
            exchange.common_headers += self._edge.cross_origin.check(head)
        if head.method == "OPTIONS":
            await exchange.respond(_options(head, found))
            return
        match found:
            case None:
                raise EndpointNotFound(f"There is no {head.path} here.")
            case WrongMethod(allowed=allowed):
                raise MethodNotAllowed(head.method, head.path, allowed)
            case Match(row=row, path_parameters=path_parameters):
                exchange.is_probe = _is_for_probes(row)
                await self._dispatch(exchange, head, row, dict(path_parameters))
            case _ as never:
                assert_never(never)

    def _check_host(self, head: Head, found: Match | WrongMethod | None) -> None:
        rule = self._edge.hosts
        if rule is None or (isinstance(found, Match) and _is_for_probes(found.row)):
            return
        host = head.header(b"host")
        if not rule.allows(host):
            raise PermissionDenied(
                f"Invalid Host header {host[:200]!r}: this server does not know itself under that name. Add it to"
                " MLFLOW_SERVER_ALLOWED_HOSTS (--allowed-hosts) if the name is yours."
            )

    async def _dispatch(self, exchange: Exchange, head: Head, row: Row, path_parameters: dict[str, str]) -> None:
        running = self._running
        if running is None:
            raise TemporarilyUnavailable("The server is starting or stopping. Try again.")
        match row:
            case Fixed():
                await exchange.respond(Response(body=row.body, content_type=row.content_type.encode()))
            case Probe():
                await exchange.respond(await _probe(row, running))
            case Route():
                await _call(exchange, head, row, path_parameters, running)
            case Download() | Upload():
                await _transfer(exchange, head, row, path_parameters, running)
            case Forwarded():
                await _forward(exchange, head, row, path_parameters, running)
            case _ as never:
                assert_never(never)


async def _call(
    exchange: Exchange, head: Head, row: Route[Any, Any], path_parameters: dict[str, str], running: _Running
) -> None:
    body = b""
    if head.method in _WITH_BODY or _asks_in_body(head):
        body = await read_body(head, exchange.receive, row.body_limit_bytes, running.bodies)
    try:
        raw = replace(_raw(head, path_parameters), method=row.method, body=body)
        pool = running.core if row.asks_database else running.transfer_pool
        answer = await pool.run(partial(_answer_of, row, raw, running.context))
    finally:
        running.bodies.give(len(body))
    headers = tuple((name.encode(), value.encode()) for name, value in row.headers.items())
    response = Response(body=answer, content_type=row.content_type.encode(), headers=headers)
    if len(answer) <= PART_BYTES:
        await exchange.respond(response)
        return
    with running.answers.hold(min(len(answer), ANSWER_BUDGET_BYTES)):
        await exchange.respond(response)


def _asks_in_body(head: Head) -> bool:
    """MLflow's server reads the body of a GET that has no query."""
    return head.method == "GET" and not head.query_string and bool(head.content_length)


def _answer_of(row: Route[Any, Any], raw: RawRequest, context: Context) -> bytes:
    return row.encode(row.service(row.decode(raw), context))


async def _transfer(
    exchange: Exchange,
    head: Head,
    row: Download[Any] | Upload[Any],
    path_parameters: dict[str, str],
    running: _Running,
) -> None:
    request = row.decode(_raw(head, path_parameters))
    locate = partial(row.locate, request, running.context)
    place = await running.core.run(locate) if row.asks_database else locate()
    if isinstance(row, Download):
        await running.transfers.download(exchange, head, place)
    else:
        await running.transfers.upload(exchange, head, place, row)
        await exchange.respond(Response(body=b"{}"))


async def _forward(
    exchange: Exchange, head: Head, row: Forwarded, path_parameters: dict[str, str], running: _Running
) -> None:
    from tracking_server.web.forwarding import Forwarding  # a client of HTTP: loaded by servers that need one

    forwarding = Forwarding(
        calls=running.core, files=running.transfer_pool, bodies=running.bodies, streams=running.streams
    )
    await forwarding.forward(exchange, head, row, path_parameters)


async def _probe(row: Probe, running: _Running) -> Response:
    try:
        async with asyncio.timeout(row.budget_seconds):
            await running.probes.run(partial(row.check, running.context))
    except TimeoutError:
        raise TemporarilyUnavailable(f"No answer within {row.budget_seconds:g} seconds.") from None
    return Response(body=b"OK", content_type=b"text/plain; charset=utf-8")


def _raw(head: Head, path_parameters: dict[str, str]) -> RawRequest:
    """All that a request says outside its body, so the same for any method."""
    return RawRequest(
        method="GET",
        path_parameters=path_parameters,
        query=parse_query(head.query_string),
        content_type=head.header(b"content-type"),
        base_url=head.base_url,
    )


def _options(head: Head, found: Match | WrongMethod | None) -> Response:
    """No row is for OPTIONS, so a known path is known for other methods."""
    if not isinstance(found, WrongMethod):
        raise EndpointNotFound(f"There is no {head.path} here.")
    allow = ", ".join((*found.allowed, "OPTIONS"))
    return Response(status=NO_CONTENT, headers=((b"allow", allow.encode()),))


def _is_for_probes(row: Row) -> bool:
    return isinstance(row, Probe) or (isinstance(row, Fixed) and row.is_for_probes)


async def _fail(exchange: Exchange, response: Response) -> None:
    """An answer that has begun cannot become an error: leaving it incomplete closes the connection, as it should."""
    if not exchange.status:
        await exchange.respond(response)
