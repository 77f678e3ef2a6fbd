"""The ASGI callable with rows of the test's own: what it does when the rows misbehave."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from tracking_server.artifacts.memory import MemoryStore
from tracking_server.artifacts.store import Place
from tracking_server.database.transactions import open_database
from tracking_server.errors import DoesNotExist, TemporarilyUnavailable
from tracking_server.services.context import Context
from tracking_server.web.app import WAITING_LIMIT, Application, Edge
from tracking_server.web.asgi import ClientGone, Message
from tracking_server.web.bodies import next_message
from tracking_server.web.route import Download, Fixed, Probe, Route, Row, Upload
from tracking_server.web.routing import RouteTable
from tracking_server.wire.raw import RawRequest


class Answered:
    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.starts = 0
        self.is_complete = False

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.starts += 1
            self.status = message["status"]
            self.headers = dict(message["headers"])
        else:
            self.body += message["body"]
            self.is_complete = not message["more_body"]


class Client:
    """Calls an application without a socket. `context` is what its rows get."""

    def __init__(self, application: Application, store: MemoryStore) -> None:
        self.application = application
        self.store = store

    async def call(
        self, method: str, path: str, parts: Sequence[bytes] = (b"",), *, goes_away: bool = False
    ) -> Answered:
        messages: list[Message] = [
            {"type": "http.request", "body": part, "more_body": number < len(parts) - 1 or goes_away}
            for number, part in enumerate(parts)
        ]
        answered = Answered()

        async def receive() -> Message:
            if messages:
                return messages.pop(0)
            if not goes_away and not answered.is_complete:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "scheme": "http",
        }
        await self.application(scope, receive, answered.take)
        return answered


def nothing(_: RawRequest) -> None:
    return None


def route(path: str, service: Callable[[None, Context], bytes], method: Any = "GET") -> Row:
    return Route(method=method, path=path, decode=nothing, service=service, encode=bytes)


def serving(
    rows: Iterable[Row], scenario: Callable[[Client], Coroutine[Any, Any, None]], core_threads: int = 1
) -> None:
    """Runs a scenario between the start and the stop of a server process."""
    store = MemoryStore()

    @contextmanager
    def open_context() -> Generator[Context]:
        yield Context(
            database=open_database("sqlite://"), artifact_store=store, default_artifact_root="mlflow-artifacts:/"
        )

    application = Application(
        table=RouteTable(rows),
        edge=Edge(hosts=None, cross_origin=None),
        open_context=open_context,
        core_threads=core_threads,
    )

    async def run() -> None:
        is_over, said = asyncio.Event(), asyncio.Queue[Message]()
        begun = False

        async def receive() -> Message:
            nonlocal begun
            if begun:
                await is_over.wait()
                return {"type": "lifespan.shutdown"}
            begun = True
            return {"type": "lifespan.startup"}

        life = asyncio.ensure_future(application({"type": "lifespan"}, receive, said.put))
        assert (await said.get())["type"] == "lifespan.startup.complete"
        await scenario(Client(application, store))
        is_over.set()
        await life
        assert (await said.get())["type"] == "lifespan.shutdown.complete"

    asyncio.run(run())


def test_an_unexpected_error_is_told_to_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    def service(_: None, __: Context) -> bytes:
        raise ZeroDivisionError("the secret of the service")

    async def scenario(client: Client) -> None:
        answered = await client.call("GET", "/broken")
        assert answered.status == 500
        assert answered.json["error_code"] == "INTERNAL_ERROR"
        assert b"secret" not in answered.body
        assert answered.headers[b"x-request-id"].decode() in answered.json["message"]

    with caplog.at_level(logging.ERROR):
        serving([route("/broken", service)], scenario)
    (record,) = caplog.records
    assert record.exc_info is not None
    assert "request_id" in vars(record)


def test_an_error_of_the_server_is_answered_and_not_told() -> None:
    def missing(_: None, __: Context) -> bytes:
        raise DoesNotExist("it is not there")

    def lost(_: None, __: Context) -> bytes:
        raise TemporarilyUnavailable("the database is gone", retry_after_seconds=3)

    async def scenario(client: Client) -> None:
        assert (await client.call("GET", "/missing")).status == 404
        answered = await client.call("GET", "/lost")
        assert (answered.status, answered.headers[b"retry-after"]) == (503, b"3")

    serving([route("/missing", missing), route("/lost", lost)], scenario)


def test_probes_and_transfers_do_not_wait_for_services() -> None:
    gate = threading.Event()

    def stuck(_: None, __: Context) -> bytes:
        gate.wait()
        return b"at last"

    def locate(_: None, context: Context) -> Place:
        return Place(store=context.artifact_store, key="file")

    rows: list[Row] = [
        route("/stuck", stuck),
        Fixed(path="/health", body=b"OK"),
        Probe(path="/readyz", check=lambda _: None, budget_seconds=5),
        Download(path="/file", decode=nothing, locate=locate, asks_database=False),
        Upload(method="PUT", path="/file", decode=nothing, locate=locate, asks_database=False),
    ]

    async def scenario(client: Client) -> None:
        waiting = [asyncio.ensure_future(client.call("GET", "/stuck")) for _ in range(1 + WAITING_LIMIT)]
        while True:
            await asyncio.sleep(0)
            if (await client.call("GET", "/health")).status == 200:
                break
        refused = await client.call("GET", "/stuck")
        assert (refused.status, refused.headers[b"retry-after"]) == (503, b"1")
        assert refused.json["error_code"] == "TEMPORARILY_UNAVAILABLE"
        assert (await client.call("GET", "/readyz")).status == 200
        assert (await client.call("PUT", "/file", [b"content"])).status == 200
        assert (await client.call("GET", "/file")).body == b"content"
        gate.set()
        assert {answered.status for answered in await asyncio.gather(*waiting)} == {200}

    serving(rows, scenario)


def test_a_probe_that_gets_no_answer_in_time_says_so() -> None:
    gate = threading.Event()

    def check(_: Context) -> None:
        gate.wait()

    async def scenario(client: Client) -> None:
        assert (await client.call("GET", "/readyz")).status == 503
        gate.set()

    serving([Probe(path="/readyz", check=check, budget_seconds=0.01)], scenario)


def test_a_probe_that_is_told_no_says_so() -> None:
    def check(_: Context) -> None:
        raise TemporarilyUnavailable("the database is gone")

    async def scenario(client: Client) -> None:
        assert (await client.call("GET", "/readyz")).status == 503

    serving([Probe(path="/readyz", check=check, budget_seconds=5)], scenario)


def test_an_upload_that_breaks_off_leaves_nothing_and_is_not_answered() -> None:
    def locate(_: None, context: Context) -> Place:
        return Place(store=context.artifact_store, key="file")

    rows = [Upload(method="PUT", path="/file", decode=nothing, locate=locate, asks_database=True, body_limit_bytes=20)]

    async def scenario(client: Client) -> None:
        answered = await client.call("PUT", "/file", [b"half ", b"of it"], goes_away=True)
        assert answered.starts == 0
        assert client.store.list("").entries == ()
        assert (await client.call("PUT", "/file", [b"x" * 15, b"x" * 15])).status == 400
        assert client.store.list("").entries == ()
        assert (await client.call("PUT", "/file", [b"all ", b"of ", b"it"])).body == b"{}"
        assert client.store.open("file").read(100) == b"all of it"

    serving(rows, scenario)


def test_a_client_that_goes_away_in_the_middle_is_missed() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def scenario() -> None:
        with pytest.raises(ClientGone):
            await next_message(gone)

    asyncio.run(scenario())


def test_before_its_start_and_after_its_stop_a_process_answers_that_it_cannot() -> None:
    async def scenario(client: Client) -> None:
        assert (await client.call("GET", "/health")).status == 200
        clients.append(client)

    clients: list[Client] = []
    serving([Fixed(path="/health", body=b"OK")], scenario)
    assert asyncio.run(clients[0].call("GET", "/health")).status == 503


def test_an_unknown_scope_is_our_bug() -> None:
    async def scenario(client: Client) -> None:
        with pytest.raises(ValueError, match="websocket"):
            await client.application({"type": "websocket"}, never, Answered().take)

    async def never() -> Message:
        raise AssertionError

    serving([], scenario)
