import logging

import pytest

from tracking_server.database.waiting import when_it_answers
from tracking_server.errors import TemporarilyUnavailable


class Database:
    """Answers at the given time. Nobody waits: the clock is moved on."""

    def __init__(self, answers_at: float) -> None:
        self.answers_at = answers_at
        self.now = 100.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.pauses.append(round(seconds, 1))

    def ask(self) -> str:
        if self.now < 100 + self.answers_at:
            raise TemporarilyUnavailable("no route to postgresql://user:hunter2@host/name")
        return "ready"


def asked(database: Database, wait_seconds: float) -> str:
    return when_it_answers(database.ask, wait_seconds=wait_seconds, clock=database.clock, sleep=database.sleep)


def test_one_that_answers_is_asked_once() -> None:
    database = Database(answers_at=0)
    assert asked(database, 30) == "ready"
    assert database.pauses == []


def test_one_that_comes_later_is_asked_again_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    database = Database(answers_at=1)
    assert asked(database, 30) == "ready"
    assert database.pauses == [0.1, 0.3, 0.7]
    assert {record.message for record in caplog.records} == {"the database does not answer yet"}
    assert [vars(record)["retry_seconds"] for record in caplog.records] == [0.1, 0.3, 0.7]
    assert all("user:***@host" in vars(record)["error"] for record in caplog.records)
    assert all(record.levelno == logging.WARNING for record in caplog.records)


@pytest.mark.parametrize("wait_seconds", [0, 1, 30])
def test_one_that_never_comes_is_given_up_when_the_time_is_over(wait_seconds: float) -> None:
    database = Database(answers_at=1_000)
    with pytest.raises(TemporarilyUnavailable):
        asked(database, wait_seconds)
    assert database.now == pytest.approx(100 + wait_seconds)
