import sqlite3
from collections.abc import Generator
from contextlib import closing

import pytest

from tracking_server.database.sqlite_rows import TURNS, SqliteConnection


@pytest.fixture
def connection() -> Generator[SqliteConnection]:
    with closing(sqlite3.connect(":memory:", factory=SqliteConnection)) as opened:
        yield opened


def is_free() -> bool:
    is_turn = TURNS.take()
    if is_turn:
        TURNS.give()
    return is_turn


@pytest.mark.parametrize("fetch", ["fetchall", "fetchmany"])
def test_a_read_has_its_turn_from_its_first_rows_to_its_end(connection: SqliteConnection, fetch: str) -> None:
    with connection.reading():
        cursor = connection.cursor().execute("SELECT 1 UNION SELECT 2")
        assert is_free()
        assert getattr(cursor, fetch)()[0] == (1,)
        assert not is_free()
    assert is_free()


def fail_after_rows(connection: SqliteConnection) -> None:
    with connection.reading():
        connection.cursor().execute("SELECT 1").fetchall()
        connection.cursor().execute("SELECT nothing")


def test_a_read_that_fails_gives_its_turn_back(connection: SqliteConnection) -> None:
    with pytest.raises(sqlite3.OperationalError):
        fail_after_rows(connection)
    assert is_free()


def test_outside_of_a_read_there_are_no_turns(connection: SqliteConnection) -> None:
    connection.cursor().execute("SELECT 1").fetchall()
    assert is_free()


def test_a_read_that_waited_in_vain_comes_to_its_rows(connection: SqliteConnection) -> None:
    with TURNS.turn(), connection.reading():
        assert connection.cursor().execute("SELECT 1").fetchmany(5) == [(1,)]
    assert is_free()
