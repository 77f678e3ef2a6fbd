import asyncio
from collections.abc import Sequence

import pytest

from tracking_server.errors import TemporarilyUnavailable
from tracking_server.web.asgi import ClientGone, Head, Message
from tracking_server.web.bodies import ByteBudget, read_body
from tracking_server.web.failures import BodyTooLarge


def part(body: bytes, *, more_body: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more_body}


def read(
    parts: Sequence[Message], *, limit: int = 100, budget: ByteBudget | None = None, length: int | None = None
) -> bytes:
    waiting = list(parts)

    async def receive() -> Message:
        return waiting.pop(0)

    headers = {} if length is None else {b"content-length": str(length).encode()}
    head = Head(method="POST", path="/", query_string=b"", headers=headers, scheme="http")
    return asyncio.run(read_body(head, receive, limit, budget or ByteBudget(1000)))


def test_a_body_is_put_together() -> None:
    assert read([part(b"", more_body=False)]) == b""
    assert read([part(b"one", more_body=False)]) == b"one"
    assert read([part(b"one ", more_body=True), part(b"two", more_body=True), part(b"", more_body=False)]) == b"one two"


def test_a_body_that_is_too_large_is_refused_by_its_length_or_as_it_comes() -> None:
    with pytest.raises(BodyTooLarge):
        read([], length=101)
    with pytest.raises(BodyTooLarge):
        read([part(b"x" * 60, more_body=True), part(b"x" * 60, more_body=True)])
    assert len(read([part(b"x" * 100, more_body=False)], length=100)) == 100


def test_all_bodies_together_have_a_budget() -> None:
    budget = ByteBudget(100)
    assert read([part(b"x" * 80, more_body=False)], budget=budget)
    with pytest.raises(TemporarilyUnavailable):
        read([part(b"x" * 10, more_body=True), part(b"x" * 20, more_body=False)], budget=budget)
    budget.give(80)
    budget.take(100)


def test_what_is_not_read_to_its_end_is_given_back() -> None:
    budget = ByteBudget(100)
    for parts in (
        [part(b"x" * 50, more_body=True), {"type": "http.disconnect"}],
        [part(b"x" * 90, more_body=True), part(b"x" * 90, more_body=True)],
    ):
        with pytest.raises((ClientGone, TemporarilyUnavailable)):
            read(parts, budget=budget)
    with pytest.raises(BodyTooLarge):
        read([part(b"x" * 60, more_body=False)], limit=50, budget=budget)
    with budget.hold(100), pytest.raises(TemporarilyUnavailable):
        budget.take(1)
    budget.take(100)
