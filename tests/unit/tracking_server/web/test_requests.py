import pytest

from tracking_server.errors import InvalidParameter
from tracking_server.web.asgi import Head, head_of
from tracking_server.web.queries import parse_query
from tracking_server.web.request_ids import request_id_of


def scope(raw_path: bytes = b"/", *headers: tuple[bytes, bytes]) -> dict[str, object]:
    return {"method": "GET", "raw_path": raw_path, "query_string": b"", "headers": headers, "scheme": "http"}


def test_a_path_is_decoded_once() -> None:
    assert head_of(scope(b"/a%20b/%25")).path == "/a b/%"
    assert head_of(scope(b"/%252e%252e")).path == "/%2e%2e"
    assert head_of(scope(b"/gr%C3%B6%C3%9Fe")).path == "/größe"


@pytest.mark.parametrize("path", [b"/%ff", b"/%c3%28", b"/%ed%a0%80"])
def test_a_path_that_is_not_utf_8_is_refused(path: bytes) -> None:
    with pytest.raises(InvalidParameter):
        head_of(scope(path))


def test_of_a_repeated_header_the_last_counts() -> None:
    assert head_of(scope(b"/", (b"accept", b"a"), (b"accept", b"b"), (b"host", b"h"))).header(b"host") == "h"


def test_base_url() -> None:
    def base_url(**headers: bytes) -> str:
        named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        return Head(method="GET", path="/", query_string=b"", headers=named, scheme="http").base_url

    assert base_url(host=b"h:1") == "http://h:1"
    assert base_url(host=b"h", x_forwarded_proto=b"HTTPS") == "https://h"
    assert base_url(host=b"h", x_forwarded_proto=b"javascript") == "http://h"


def test_a_query_keeps_every_value_in_order() -> None:
    query = parse_query(b"a=1&b=&a=2&c=%20+%C3%B6&d")
    assert query == {"a": ["1", "2"], "b": [""], "c": ["  ö"], "d": [""]}
    assert parse_query(b"") == {}


@pytest.mark.parametrize("query", [b"a=%ff", b"a=%ed%a0%80", b"a=\xff", b"&".join([b"a=1"] * 10_001)])
def test_a_query_that_cannot_be_read_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidParameter, match=r"^Invalid query string"):
        parse_query(query)


def test_a_request_id_is_taken_over_when_it_is_harmless() -> None:
    assert request_id_of([(b"x-request-id", b"a-1.B_2")]) == "a-1.B_2"
    for given in (b"", b"a b", b"x" * 65, b'"}', "ö".encode()):
        assert len(request_id_of([(b"x-request-id", given)])) == 16
    assert request_id_of([]) != request_id_of([])
