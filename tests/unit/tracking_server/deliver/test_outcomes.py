"""What follows from a try, and when the next one comes."""

import pytest

from tracking_server.deliver.outcomes import (
    Answered,
    Arrived,
    GivenUp,
    LeftToOthers,
    Outcome,
    Reply,
    Stopped,
    TryAgain,
    Unreached,
    outcome_of,
)

NOW = 1_700_000_000.0


def after(reply: Reply, *, tries: int = 1, max_retries: int = 3, jitter: float = 0.0) -> Outcome:
    return outcome_of(reply, tries=tries, max_retries=max_retries, jitter=jitter, now_seconds=NOW)


def answered(status: int, **headers: str) -> Answered:
    return Answered(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_has_arrived(status: int) -> None:
    assert after(answered(status)) == Arrived()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_the_end(status: int) -> None:
    assert after(answered(status)) == GivenUp(why=f"answered {status}, and redirects are not followed")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422, 501, 505])
def test_what_would_be_refused_again_is_the_end(status: int) -> None:
    assert after(answered(status)) == GivenUp(why=f"answered {status}")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize(("tries", "pause"), [(1, 1.0), (2, 2.0), (3, 4.0)])
def test_what_may_go_better_is_tried_again_ever_later(status: int, tries: int, pause: float) -> None:
    assert after(answered(status), tries=tries) == TryAgain(after_seconds=pause, why=f"answered {status}")
    assert after(answered(status), tries=tries, jitter=0.5) == TryAgain(
        after_seconds=pause + 0.5, why=f"answered {status}"
    )


def test_the_last_retry_is_the_end() -> None:
    assert after(answered(503), tries=4) == GivenUp(why="answered 503")
    assert after(answered(503), max_retries=0) == GivenUp(why="answered 503")


def test_a_pause_has_an_end() -> None:
    assert after(answered(503), tries=90, max_retries=100) == TryAgain(after_seconds=60.0, why="answered 503")


def test_no_connection_is_tried_again() -> None:
    assert after(Unreached(why="refused"), tries=2) == TryAgain(after_seconds=2.0, why="refused")


def test_a_forbidden_address_is_the_end() -> None:
    assert after(Unreached(why="private", is_final=True)) == GivenUp(why="private")


def test_a_try_that_this_process_broke_off_does_not_count() -> None:
    assert after(Stopped(), tries=4) == LeftToOthers()


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        pytest.param("20", 20.0, id="seconds"),
        pytest.param("0", 1.0, id="less than the pause"),
        pytest.param("86400", 300.0, id="too long"),
        pytest.param("9" * 400, 300.0, id="far too long"),
        pytest.param("-5", 1.0, id="negative"),
        pytest.param("soon", 1.0, id="nonsense"),
        pytest.param("٣", 1.0, id="digits of another script"),
        pytest.param("Tue, 14 Nov 2023 22:13:50 GMT", 30.0, id="a date"),
        pytest.param("Tue, 14 Nov 2023 22:13:50", 30.0, id="a date without a zone"),
        pytest.param("Tue, 14 Nov 2000 22:13:50 GMT", 1.0, id="a date in the past"),
    ],
)
def test_a_receiver_may_ask_for_time(text: str, pause: float) -> None:
    assert after(answered(429, retry_after=text)) == TryAgain(after_seconds=pause, why="answered 429")
