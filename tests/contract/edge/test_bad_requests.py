"""Whatever a client sends, the answer is not the server's fault."""

import random
import re
import socket
from collections.abc import Generator
from http import HTTPStatus

import msgspec
import pytest

from tests.support.http import call, connection_to, reply_on
from tests.support.server import LiveServer, live_server
from tracking_server.web.assembly import ROWS
from tracking_server.web.route import Route
from tracking_server.web.routing import paths_of

JSON = {"Content-Type": "application/json"}
WRITING = "/api/2.0/mlflow/runs/create"
CALLS = [
    pytest.param(row.method, path.replace("{", "").replace("*}", "").replace("}", ""), id=f"{row.method} {path}")
    for row in ROWS
    for path in paths_of(row)
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("server")) as running:
        yield running


def raw(server: LiveServer, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(request)
        answer = b""
        while not is_whole(answer) and (more := opened.recv(4000)):
            answer += more
        return answer


def is_whole(answer: bytes) -> bool:
    """Head and body may come in two packets."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)


BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"[1,2,3]",
    b'"text"',
    b"12",
    b"\x00",
    b"\xff\xfe\x00",
    b'{"a": ' * 2000,
    b"[" * 100_000,
    b'{"run_id": "\\ud800"}',
    b'{"run_id": "\\u0000", "key": "\\u0000", "value": "\\u0000", "name": "\\u0000", "experiment_id": "\\u0000"}',
    b'{"run_id": 1, "experiment_id": {}, "name": [], "key": true, "value": 1.5, "tags": {"a": 1}, "metrics": "x"}',
    b'{"experiment_id": "99999999999999999999999", "run_id": "x", "max_results": 99999999999999999999}',
    b'{"experiment_id": "-1", "max_results": -1, "page_token": "!!", "filter": "((((", "order_by": ["\\u0000"]}',
    b'{"experiment_ids": ["\\ud800"], "filter": "params.\\"a = \'b", "order_by": "x"}',
    b'{"run_id": "x", "metrics": [{"key": "k", "value": "NaN", "timestamp": 9223372036854775808, "step": 1e400}]}',
]
QUERIES = [
    "",
    "?run_id=",
    "?run_id=%00",
    "?run_id=%ff",
    "?run_id=%ed%a0%80",
    "?experiment_id=%F0%9F%8E%89",
    "?experiment_id=1e5&max_results=abc&page_token=%",
    "?max_results=99999999999999999999&path=..%2F",
    "?run_id[]=1&run_id=2&run_id=3&experiment_id=-9223372036854775809",
    "?" + "&".join(f"k{number}=v" for number in range(500)),
    "?" + "x" * 5000,
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_no_body_and_no_query_is_answered_with_a_5xx(server: LiveServer, method: str, path: str) -> None:
    with connection_to(server.url) as connection:
        for query in QUERIES:
            connection.request(method, path + query, headers=JSON)
            reply = reply_on(connection)
            assert reply.status < 500 or reply.status == HTTPStatus.NOT_IMPLEMENTED, (query, reply.body)
        if method != "GET":
            for body in BODIES:
                connection.request(method, path, body=body, headers=JSON)
                reply = reply_on(connection)
                assert reply.status < 500 or reply.status == HTTPStatus.NOT_IMPLEMENTED, (body[:200], reply.body)


def test_random_documents_are_never_the_servers_fault(server: LiveServer) -> None:
    choice = random.Random(1)
    scalars: list[object] = [None, True, 0, -1, 2**63, 1.5, "", "x", "0", "\u0000", "é🎉", [], {}, [None], {"a": None}]
    names = (
        "run_id",
        "run_uuid",
        "experiment_id",
        "experiment_ids",
        "name",
        "key",
        "value",
        "tags",
        "metrics",
        "params",
    )
    with connection_to(server.url) as connection:
        for row in [row for row in ROWS if isinstance(row, Route) and row.method != "GET"]:
            for _ in range(15):
                document = {name: choice.choice(scalars) for name in choice.sample(names, 5)}
                path = row.path.replace("{", "").replace("*}", "").replace("}", "")
                connection.request(row.method, path, body=msgspec.json.encode(document), headers=JSON)
                reply = reply_on(connection)
                assert reply.status < 500 or reply.status == HTTPStatus.NOT_IMPLEMENTED, (path, document, reply.body)


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/2.0/mlflow/runs/create/",
        "/api/2.0/mlflow//runs/create",
        "/API/2.0/mlflow/runs/create",
        "/api/3.0/mlflow/server-features",
        "/api/2.0/mlflow/runs/%2e%2e/runs/create",
        "/%F0%9F%8E%89",
        "/metrics",
        "/static-files/index.html",
    ],
)
def test_an_unknown_path_is_a_404_that_the_client_understands(server: LiveServer, path: str) -> None:
    reply = call(server.url, "GET", path)
    assert (reply.status, reply.error_code) == (404, "ENDPOINT_NOT_FOUND")


@pytest.mark.parametrize("path", ["/%ff", "/%ed%a0%80", "/api/2.0/mlflow-artifacts/artifacts/%C3%28"])
def test_a_path_that_is_not_utf_8_is_refused(server: LiveServer, path: str) -> None:
    assert call(server.url, "GET", path).status == 400


def test_a_wrong_verb_names_the_right_ones(server: LiveServer) -> None:
    reply = call(server.url, "DELETE", "/api/2.0/mlflow/experiments/search")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    assert call(server.url, "POST", "/health").status == 405
    assert raw(server, b"BREW /health HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 40")


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: LiveServer) -> None:
    head = (
        b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9999999999\r\n\r\n"
    )
    answer = raw(server, head % WRITING.encode())
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"larger than" in answer


def test_a_chunked_body_that_is_too_large_is_refused(server: LiveServer) -> None:
    with connection_to(server.url) as connection:
        connection.request("POST", WRITING, body=iter([b" " * 1_000_000] * 70), headers=JSON, encode_chunked=True)
        reply = reply_on(connection)
    assert (reply.status, reply.error_code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize(
    "request_",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"\x00" + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://evil.example.com/health HTTP/1.1\r\nHost: evil.example.com\r\n\r\n",
    ],
)
def test_broken_http_never_breaks_the_server(server: LiveServer, request_: bytes) -> None:
    answer = raw(server, request_)
    assert not answer.startswith(b"HTTP/1.1 5")
    assert call(server.url, "GET", "/health").status == 200


@pytest.mark.parametrize(
    "start", [b"GET /", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\n"], ids=["path", "header", "headers"]
)
def test_a_head_without_an_end_is_cut_off(server: LiveServer, start: bytes) -> None:
    filler = b"x: y\r\n" * 10_000 if start.endswith(b"\n") else b"x" * 60_000
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(start)
        sent = 0
        try:
            while sent < 50_000_000:
                opened.sendall(filler)
                sent += len(filler)
        except ConnectionError:
            pass
    assert sent < 5_000_000
    assert call(server.url, "GET", "/health").status == 200


def test_a_large_head_within_the_limit_and_a_body_right_behind_it(server: LiveServer) -> None:
    body = b'{"experiment_id": "none", "tags": [' + b" " * 200_000 + b"]}"
    with connection_to(server.url) as connection:
        for _ in range(3):
            connection.request("POST", WRITING, body=body, headers={**JSON, "X-Filler": "x" * 30_000})
            assert reply_on(connection).status == 400


def test_a_websocket_upgrade_is_answered_as_plain_http(server: LiveServer) -> None:
    upgrade = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert raw(server, upgrade).startswith(b"HTTP/1.1 200")


def test_pipelined_requests_are_answered_in_order(server: LiveServer) -> None:
    one = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as opened:
        opened.sendall(one + one + last)
        answer = b""
        while part := opened.recv(4000):
            answer += part
    assert answer.count(b"HTTP/1.1 200") == 3
    assert answer.endswith(b"3.17.2")


def test_a_get_without_a_query_may_ask_in_its_body(server: LiveServer) -> None:
    def ask(body: bytes, query: str = "") -> int:
        return call(server.url, "GET", f"/api/2.0/mlflow/experiments/get{query}", body).status

    assert ask(b'{"experiment_id": "0"}') == 200
    assert ask(b"{") == 400
    assert ask(b'{"experiment_id": "0"}', "?experiment_id=77") == 404


def test_the_log_has_no_traceback_after_all_this(server: LiveServer) -> None:
    """The last test of this module: nothing above was a surprise."""
    lines = [msgspec.json.decode(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    assert [line for line in lines if "traceback" in line or line["level"] == "error"] == []
