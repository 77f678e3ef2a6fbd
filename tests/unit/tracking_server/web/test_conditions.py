import pytest

from tracking_server.artifacts.store import ByteRange, FinalBytes, Stat, Wanted
from tracking_server.web.asgi import Head
from tracking_server.web.conditions import Verdict, has_conditions, range_applies, verdict, wanted_range

STAT = Stat(size_bytes=10, modified_seconds=784111777.9, etag="abc")
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
EARLIER = "Sun, 06 Nov 1994 08:49:36 GMT"


def head(**headers: str) -> Head:
    return Head(
        method="GET",
        path="/",
        query_string=b"",
        headers={name.replace("_", "-").encode(): value.encode() for name, value in headers.items()},
        scheme="http",
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("bytes=0-0", ByteRange(first=0, last=0)),
        ("bytes=2-", ByteRange(first=2)),
        ("bytes=-5", FinalBytes(count=5)),
        ("Bytes = 1 - 2 ", ByteRange(first=1, last=2)),
        ("bytes=0-9999999999999999999", ByteRange(first=0, last=9999999999999999999)),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes=5-2", None),
        ("bytes=1-2,4-5", None),
        ("bytes=a-b", None),
        ("bytes=1-99999999999999999999999", None),
        ("items=1-2", None),
        ("", None),
    ],
)
def test_range(text: str, wanted: Wanted) -> None:
    assert wanted_range(head(range=text)) == wanted


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, Verdict.SEND),
        ({"if_none_match": '"abc"'}, Verdict.NOT_MODIFIED),
        ({"if_none_match": 'W/"abc"'}, Verdict.NOT_MODIFIED),
        ({"if_none_match": '"x" , "abc"'}, Verdict.NOT_MODIFIED),
        ({"if_none_match": "*"}, Verdict.NOT_MODIFIED),
        ({"if_none_match": '"x"'}, Verdict.SEND),
        ({"if_none_match": '"x"', "if_modified_since": DATE}, Verdict.SEND),
        ({"if_modified_since": DATE}, Verdict.NOT_MODIFIED),
        ({"if_modified_since": EARLIER}, Verdict.SEND),
        ({"if_modified_since": "yesterday"}, Verdict.SEND),
        ({"if_modified_since": "Sun, 99 Nov 1994 08:49:37 GMT"}, Verdict.SEND),
        ({"if_match": '"abc"'}, Verdict.SEND),
        ({"if_match": '"x"'}, Verdict.FAILED),
        ({"if_unmodified_since": EARLIER}, Verdict.FAILED),
        ({"if_unmodified_since": DATE}, Verdict.SEND),
        ({"if_match": '"abc"', "if_unmodified_since": EARLIER}, Verdict.SEND),
    ],
)
def test_verdict(headers: dict[str, str], expected: Verdict) -> None:
    assert verdict(head(**headers), STAT) is expected
    assert has_conditions(head(**headers)) is bool(headers)


@pytest.mark.parametrize(
    ("condition", "applies"),
    [("", True), ('"abc"', True), ('"x"', False), (DATE, True), (EARLIER, False), ('W/"abc"', False)],
)
def test_if_range(condition: str, applies: bool) -> None:
    assert range_applies(head(if_range=condition), STAT) is applies
