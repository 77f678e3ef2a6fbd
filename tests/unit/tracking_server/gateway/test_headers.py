import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.errors import NotImplementedHere
from tracking_server.gateway.headers import answer_headers, request_headers, with_authorization
from tracking_server.settings import Secret

NAME = "trackplane-1"


def asked(**given: str) -> dict[str, str]:
    headers = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in given.items()}
    return dict(request_headers(headers, pseudonym=NAME, request_id="id-1"))


def test_what_is_about_the_call_is_passed_on() -> None:
    given = {
        "content_type": "application/json",
        "range": "bytes=0-1",
        "if_none_match": '"a"',
        "x_mlflow_workspace": "w",
        "user_agent": "mlflow-python-client/3.17.2",
    }
    found = asked(**given)
    assert {name.replace("-", "_") for name in found} == {*given, "accept_encoding", "via", "x_request_id"}
    assert found["x-request-id"] == "id-1"
    assert found["accept-encoding"] == "identity"
    assert found["via"] == "1.1 trackplane-1"


def test_what_is_about_the_client_or_the_connection_is_not() -> None:
    found = asked(
        authorization="Bearer client",
        cookie="session=1",
        host="evil.example.com",
        origin="https://evil.example.com",
        connection="close, x-private",
        x_private="1",
        x_forwarded_for="1.2.3.4",
        transfer_encoding="chunked",
        content_length="3",
        te="trailers",
        upgrade="h2c",
        expect="100-continue",
        proxy_authorization="Basic x",
    )
    assert found.keys() == {"accept-encoding", "via", "x-request-id"}


def test_a_value_that_no_header_can_have_is_left_out() -> None:
    assert "range" not in asked(range="bytes=0-1\r\nX: y")


def test_a_call_that_comes_back_is_refused() -> None:
    assert asked(via="1.1 other")["via"] == "1.1 other, 1.1 trackplane-1"
    with pytest.raises(NotImplementedHere, match="leads back here"):
        asked(via="1.1 other, 1.1 trackplane-1")


def test_the_login_is_that_of_this_server() -> None:
    assert with_authorization([("a", "b")], None) == [("a", "b")]
    assert with_authorization([], Secret("Bearer t")) == [("authorization", "Bearer t")]


def test_of_an_answer_only_what_is_known_comes_back() -> None:
    told = [
        ("Content-Type", "application/json"),
        ("ETag", '"a"'),
        ("Retry-After", "3"),
        ("Set-Cookie", "session=1"),
        ("WWW-Authenticate", "Basic"),
        ("Location", "https://evil.example.com"),
        ("Connection", "close"),
        ("Transfer-Encoding", "chunked"),
        ("Access-Control-Allow-Origin", "*"),
        ("Server", "uvicorn"),
        ("Content-Security-Policy", "default-src *"),
        ("X-Unknown", "1"),
    ]
    assert dict(answer_headers(told, is_file=False)) == {
        b"content-type": b"application/json",
        b"etag": b'"a"',
        b"retry-after": b"3",
        b"content-security-policy": b"sandbox",
    }


@pytest.mark.parametrize(
    ("disposition", "found"),
    [
        ([], b"attachment"),
        (["inline"], b"attachment"),
        (["attachment; filename=a.html"], b"attachment; filename=a.html"),
    ],
)
def test_a_file_is_always_an_attachment(disposition: list[str], found: bytes) -> None:
    told = [("Content-Disposition", value) for value in disposition]
    assert dict(answer_headers(told, is_file=True))[b"content-disposition"] == found


def test_a_value_over_several_lines_becomes_one_and_control_characters_are_left_out() -> None:
    told = [("Content-Type", "text/plain;\r\n charset=utf-8"), ("ETag", '"a\x00"'), ("Cache-Control", "a\r\nX: y")]
    found = dict(answer_headers(told, is_file=False))
    assert found[b"content-type"] == b"text/plain; charset=utf-8"
    assert b"etag" not in found
    assert found[b"cache-control"] == b"a X: y"


LATIN = st.text(st.characters(max_codepoint=255), max_size=20)


@given(st.sampled_from(["Content-Type", "ETag", "Retry-After", "Set-Cookie", "Location"]), LATIN)
def test_no_value_becomes_two_headers(name: str, value: str) -> None:
    for found, shown in answer_headers([(name, value)], is_file=False):
        assert re.fullmatch(rb"[a-z-]+", found)
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", shown)
    for _, passed in request_headers({b"range": value.encode("latin-1")}, pseudonym=NAME, request_id="id"):
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", passed)
