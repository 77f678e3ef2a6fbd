"""What a gateway passes on and back, and what it does not: one call there for each call here."""

import http.client
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.client import free_port
from tests.support.http import call, call_json, connection_to
from tests.support.server import LiveServer, live_server
from tests.support.upstreams import Endless, Raw, ScriptedServer, Seen, Told, told_json
from tracking_server.web.assembly import ROWS
from tracking_server.web.route import Fixed, Probe

pytestmark = pytest.mark.xdist_group("gateway")

BASE = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "target"),
    [
        ("GET", f"{BASE}/runs/get?run_id=a%2Fb&x=%20", f"{BASE}/runs/get?run_id=a%2Fb&x=%20"),
        ("HEAD", f"{BASE}/runs/get?run_id=1", f"{BASE}/runs/get?run_id=1"),
        ("POST", f"{BASE}/runs/create", f"{BASE}/runs/create"),
        ("POST", "/ajax-api/2.0/mlflow/runs/search", f"{BASE}/runs/search"),
        ("PATCH", f"{BASE}/registered-models/update", f"{BASE}/registered-models/update"),
        ("DELETE", f"{BASE}/logged-models/m-1/tags/a%20b", f"{BASE}/logged-models/m-1/tags/a%20b"),
        ("GET", "/version", "/version"),
        ("GET", "/ajax-api/3.0/mlflow/server-info", "/api/3.0/mlflow/server-info"),
        ("GET", f"{FILES}/0/r%C3%BCn/a%20b.txt", f"{FILES}/0/r%C3%BCn/a%20b.txt"),
        ("GET", f"{FILES}?path=0", f"{FILES}?path=0"),
        ("PUT", f"{FILES}/0/run/%66ile", f"{FILES}/0/run/file"),
        ("POST", "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&path=a", None),
        ("GET", "/get-artifact?run_uuid=1&path=a", "/get-artifact?run_uuid=1&path=a"),
        ("POST", f"{BASE}/webhooks", f"{BASE}/webhooks"),
    ],
)
def test_a_call_is_made_once_at_its_own_path(
    gateway: LiveServer, upstream: ScriptedServer, method: str, path: str, target: str | None
) -> None:
    body = b'{"name": "\xc3\xbc"}' if method in {"POST", "PUT", "PATCH", "DELETE"} else b""
    upstream.answer = lambda _: told_json({"told": 1})
    reply = call(gateway.url, method, path, body or None, {"Content-Type": "application/json"})
    assert (reply.status, reply.body) == (200, b"" if method == "HEAD" else b'{"told":1}')
    (seen,) = upstream.seen
    assert (seen.method, seen.target, seen.body) == (method, target or path, body)
    assert seen.headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 501, 503])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_passes_as_it_is(gateway: LiveServer, upstream: ScriptedServer, method: str, status: int) -> None:
    error = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "There is no run 1."}
    headers = {"Content-Type": "application/json", "Retry-After": "7", "WWW-Authenticate": "Basic"}
    answer = Told(status=status, headers=headers, body=told_json(error).body)
    upstream.answer = lambda _: answer
    reply = call(gateway.url, method, f"{BASE}/runs/search" if method == "POST" else f"{BASE}/runs/get?run_id=1", b"{}")
    assert (reply.status, reply.json) == (status, error)
    assert reply.headers["retry-after"] == "7"
    assert "www-authenticate" not in reply.headers
    assert len(upstream.seen) == 1


def test_who_the_client_is_stays_here_and_who_the_server_is_stays_there(
    gateway: LiveServer, upstream: ScriptedServer
) -> None:
    upstream.answer = lambda _: Told(
        headers={"Set-Cookie": "a=b", "Server": "secret/1", "X-Private": "1", "Connection": "keep-alive, x-private"}
    )
    mine = {
        "Authorization": "Bearer mine",
        "Cookie": "session=mine",
        "Proxy-Authorization": "Basic mine",
        "X-Forwarded-For": "192.0.2.1",
        "Connection": "x-hop",
        "X-Hop": "1",
        "X-MLflow-Client-Version": "3.17.2",
        "X-Request-Id": "mine-1",
    }
    reply = call(gateway.url, "GET", f"{BASE}/runs/get?run_id=1", headers=mine)
    (seen,) = upstream.seen
    assert seen.headers.keys() == {"host", "x-mlflow-client-version", "accept-encoding", "via", "x-request-id"}
    assert seen.headers["host"] == upstream.url.removeprefix("http://")
    assert seen.headers["x-request-id"] == reply.headers["x-request-id"] == "mine-1"
    assert not {"set-cookie", "server", "x-private"} & reply.headers.keys()
    assert reply.headers["content-security-policy"] == "sandbox"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "evil.example.com"}, 403), ({"Origin": "https://evil.example.com"}, 403)],
)
def test_a_page_of_a_stranger_does_not_get_through(
    gateway: LiveServer, upstream: ScriptedServer, headers: Mapping[str, str], status: int
) -> None:
    assert call(gateway.url, "POST", f"{BASE}/runs/create", b"{}", headers).status == status
    assert upstream.seen == []


@pytest.mark.parametrize(
    "path",
    [
        f"{FILES}/..%2f..%2fsecret",
        f"{FILES}/a/../../secret",
        f"{FILES}/%2e%2e/secret",
        f"{FILES}/%252e%252e%252fsecret",
        f"{FILES}/..%5csecret",
        f"{FILES}/a%00b",
        f"{FILES}/a%0d%0aX-Header:%201",
        f"{FILES}//etc/passwd",
        f"{BASE}/logged-models/..",
        f"{BASE}/logged-models/%2e%2e",
        f"{BASE}/logged-models/..%2fruns",
        f"{BASE}/logged-models/%252e%252e",
        f"{BASE}/logged-models/m%5c..",
        f"{BASE}/../../../admin",
        f"{BASE}/users/get?username=admin",
        "/admin",
        "//elsewhere/api/2.0/mlflow/runs/get",
        f"{BASE}/runs/get?x=%ff\x7f",
    ],
)
def test_a_path_leads_nowhere_else(gateway: LiveServer, upstream: ScriptedServer, path: str) -> None:
    with connection_to(gateway.url) as connection:
        connection._validate_path = lambda _: None  # type: ignore[attr-defined]  # a client that minds nothing
        connection.request("GET", path)
        assert connection.getresponse().status in {400, 404}
    assert upstream.seen == []


@pytest.mark.parametrize(
    ("path", "length"),
    [(f"{BASE}/runs/log-batch", 64 * MIB + 1), ("/ajax-api/2.0/mlflow/upload-artifact?run_uuid=1&path=a", 11 * MIB)],
)
def test_a_body_that_is_too_large_stays_here(
    gateway: LiveServer, upstream: ScriptedServer, path: str, length: int
) -> None:
    with connection_to(gateway.url) as connection:
        connection.putrequest("POST", path)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        assert connection.getresponse().status == 400
    assert upstream.seen == []


def test_a_redirect_is_not_followed(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Told(status=302, headers={"Location": f"{upstream.url}/elsewhere"})
    reply = call(gateway.url, "GET", f"{BASE}/runs/get?run_id=1")
    assert (reply.status, reply.error_code) == (501, "NOT_IMPLEMENTED")
    assert f"{upstream.url} answers with a redirect (302)" in reply.json["message"]
    assert "location" not in reply.headers
    assert len(upstream.seen) == 1


def test_a_call_that_comes_back_ends(tmp_path: Path) -> None:
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with live_server(tmp_path, "--port", str(port), "--backend-store-uri", uri) as server:
        reply = call(server.url, "GET", f"{BASE}/runs/get?run_id=1")
    assert reply.status == 501
    assert "leads back here" in reply.json["message"]


RANGE = {"Content-Range": "bytes 2-4/9", "Accept-Ranges": "bytes", "ETag": '"x"', "Content-Type": "text/html"}


def test_a_part_of_a_file_is_asked_for_and_given(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Told(status=206, headers=RANGE, body=b"cde")
    reply = call(gateway.url, "GET", f"{FILES}/0/a", headers={"Range": "bytes=2-4", "If-Range": '"x"'})
    assert (reply.status, reply.body) == (206, b"cde")
    assert {name: reply.headers[name.lower()] for name in RANGE} == RANGE
    assert reply.headers["content-disposition"] == "attachment"
    (seen,) = upstream.seen
    assert (seen.headers["range"], seen.headers["if-range"]) == ("bytes=2-4", '"x"')


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body(gateway: LiveServer, upstream: ScriptedServer, status: int) -> None:
    upstream.answer = lambda _: Told(status=status, headers={"ETag": '"x"'})
    reply = call(gateway.url, "GET", f"{FILES}/0/a", headers={"If-None-Match": '"x"'})
    assert (reply.status, reply.body, reply.headers["etag"]) == (status, b"", '"x"')


def test_head_tells_the_length_of_what_does_not_come(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Told(body=b"x" * 1000)
    reply = call(gateway.url, "HEAD", f"{FILES}/0/a")
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "1000")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"100000\r\n" + b"x" * MIB + b"\r\n"


@pytest.mark.parametrize(
    "content",
    [
        CHUNKED + b"5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MIB + 5) + b"x" * MIB + b"hello",
        b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * MIB + b"hello",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"x" * MIB + b"hello",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MIB + 5) + b"x" * MIB + b"helloHTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["chunked", "with a length", "until the end", "until its end", "and something behind it"],
)
def test_a_large_answer_comes_whole_however_it_is_framed(
    gateway: LiveServer, upstream: ScriptedServer, content: bytes
) -> None:
    upstream.answer = lambda _: Raw(content=content)
    assert call(gateway.url, "GET", f"{FILES}/0/a").body == b"x" * MIB + b"hello"
    upstream.answer = lambda _: Told(body=b"next")
    assert call(gateway.url, "GET", f"{FILES}/0/a").body == b"next"


def test_an_encoded_answer_passes_as_it_is_when_it_is_asked_for(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Told(headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8bnot looked into")
    reply = call(gateway.url, "GET", f"{BASE}/runs/get?run_id=1", headers={"Accept-Encoding": "gzip"})
    assert (reply.headers["content-encoding"], reply.body) == ("gzip", b"\x1f\x8bnot looked into")
    assert upstream.seen[0].headers["accept-encoding"] == "gzip"


GARBAGE = {
    "nothing": b"",
    "no HTTP": b"hello\r\n\r\n",
    "no status": b"HTTP/1.1 \r\n\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
    "early hints": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "switching": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a chunk without a size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a chunk below nothing": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello",
    "a head that was cut off": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "less than told": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_no_answer_is_503(gateway: LiveServer, upstream: ScriptedServer, content: bytes) -> None:
    upstream.answer = lambda _: Raw(content=content)
    reply = call(gateway.url, "POST", f"{BASE}/experiments/search", b"{}")
    assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
    assert upstream.url in reply.json["message"]
    assert reply.headers["retry-after"] == "1"
    assert len(upstream.seen) == 1  # nobody knows whether it was done


def test_what_changes_nothing_is_asked_again(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Raw(content=b"") if len(upstream.seen) < 3 else Told(body=b"at last")
    assert call(gateway.url, "GET", f"{BASE}/runs/get?run_id=1").body == b"at last"
    upstream.forget()
    upstream.answer = lambda _: Raw(content=b"")
    assert call(gateway.url, "HEAD", f"{BASE}/runs/get?run_id=1").status == 503
    assert len(upstream.seen) == 3


def test_a_download_that_breaks_off_there_breaks_off_here(gateway: LiveServer, upstream: ScriptedServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (8 * MIB)
    for content in (head + b"x" * MIB, CHUNKED):
        upstream.forget()
        upstream.answer = lambda _, content=content: Raw(content=content)  # type: ignore[misc]
        with pytest.raises(http.client.IncompleteRead):
            call(gateway.url, "GET", f"{FILES}/0/a")
        assert len(upstream.seen) == 1


def test_an_upload_that_is_refused_there_is_refused_here(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.refusal = Told(status=413, body=b"too much")
    reply = call(gateway.url, "PUT", f"{FILES}/0/a", b"x" * (4 * MIB))
    assert (reply.status, reply.body) == (413, b"too much")


def test_a_server_that_dies_in_an_upload_is_503(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.refusal = Told(status=0)
    reply = call(gateway.url, "PUT", f"{FILES}/0/a", b"x" * (4 * MIB))
    assert (reply.status, reply.error_code) == (503, "TEMPORARILY_UNAVAILABLE")
    assert "may have done" in reply.json["message"]


@pytest.mark.parametrize("framing", ["Content-Length: 9000000", "Transfer-Encoding: chunked"])
def test_an_upload_whose_client_goes_away_is_never_whole_there(
    gateway: LiveServer, upstream: ScriptedServer, framing: str
) -> None:
    with connection_to(gateway.url) as connection:
        connection.connect()
        head = f"PUT {FILES}/0/a HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n".encode()
        chunk = b"%x\r\n" % MIB if "chunked" in framing else b""
        connection.sock.sendall(head + chunk + b"x" * MIB)
    upstream.wait_for_end()
    assert upstream.seen == []


def test_a_download_whose_client_goes_away_ends_there(gateway: LiveServer, upstream: ScriptedServer) -> None:
    upstream.answer = lambda _: Endless(head=b"HTTP/1.0 200 OK\r\n\r\n", again=b"x" * 65536)
    with connection_to(gateway.url) as connection:
        connection.request("GET", f"{FILES}/0/a")
        assert connection.getresponse().read(MIB) == b"x" * MIB
    upstream.wait_for_end()


def test_connections_are_kept(gateway: LiveServer, upstream: ScriptedServer) -> None:
    call(gateway.url, "GET", f"{BASE}/runs/get?run_id=1")
    before = upstream.connections
    for _ in range(20):
        assert call_json(gateway.url, "POST", f"{BASE}/runs/create", {}).status == 200
    assert upstream.connections - before < 20  # some may become too old on a machine that is busy


def test_the_front_page_says_where_the_data_are(gateway: LiveServer, upstream: ScriptedServer) -> None:
    page = call(gateway.url, "GET", "/")
    assert page.status == 200
    assert f"passes calls on to the tracking server at <code>{upstream.url}</code>" in page.body.decode()
    assert "Newest experiments" not in page.body.decode()
    assert upstream.seen == []


def test_probes(gateway: LiveServer, upstream: ScriptedServer) -> None:
    def answers(status: int) -> int:
        upstream.answer = lambda _: Told(status=status)
        return call(gateway.url, "GET", "/readyz", headers={"Host": "anything"}).status

    assert [answers(status) for status in (200, 404, 401, 403, 500, 503, 302)] == [200, 200, 503, 503, 503, 503, 501]
    assert {seen.target for seen in upstream.seen} == {"/health"}
    count = len(upstream.seen)
    assert call(gateway.url, "GET", "/health").body == call(gateway.url, "GET", "/livez").body == b"OK"
    assert len(upstream.seen) == count


def test_all_that_the_table_has_is_passed_on(gateway: LiveServer, upstream: ScriptedServer) -> None:
    """A row that was forgotten would be answered here, by a database that is not there."""

    def told(seen: Seen) -> Told:
        return told_json({"target": seen.target})

    upstream.answer = told
    rows = [row for row in ROWS if not isinstance(row, Fixed | Probe)]
    for row in rows:
        path = row.path.replace("{artifact_path*}", "a/b").replace("{", "").replace("}", "")
        with connection_to(gateway.url) as connection:
            connection.request(row.method, path, body=b"{}" if row.method != "GET" else None)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, told_json({"target": path}).body)
    assert len(upstream.seen) == len(rows)
