import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.children import eventually, start_child, wait_for
from tests.support.databases import PostgreSql, end_other_sessions, opened
from tests.support.pooler import running_pooler
from tracking_server.database.lock import migration_lock, serving_lock, who_serves
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, LockBusy, MigrationFailed, TemporarilyUnavailable


def child_that_holds(database: Database, marker: Path, holds: Callable[[Database], object]) -> int:
    def work() -> None:
        with holds(database):  # type: ignore[attr-defined]  # a context manager, whatever it yields
            marker.touch()
            time.sleep(600)

    child = start_child(work)
    eventually(marker.exists)
    return child


def kill(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    wait_for(child)


def test_a_second_migrator_is_told_who_the_first_is(database: Database) -> None:
    with (
        migration_lock(database, wait_seconds=0),
        opened(url_of(database)) as other,
        # a session of MariaDB tells where it comes from, and not which process it is of
        pytest.raises(LockBusy, match=r"connection \d+ from" if database.dialect == "mysql" else str(os.getpid())),
        migration_lock(other, wait_seconds=0.3),
    ):
        pytest.fail("two had the lock")


def test_a_lock_can_be_had_again(database: Database) -> None:
    for _ in range(2):
        with migration_lock(database, wait_seconds=0) as lock:
            lock.check()


def test_a_lock_ends_with_a_killed_process(database: Database, tmp_path: Path) -> None:
    child = child_that_holds(database, tmp_path / "held", lambda database: migration_lock(database, wait_seconds=0))
    with pytest.raises(LockBusy), migration_lock(database, wait_seconds=0):
        pytest.fail("two had the lock")
    kill(child)
    with migration_lock(database, wait_seconds=30) as lock:
        lock.check()


def test_a_lost_lock_is_noticed(database: Database) -> None:
    with migration_lock(database, wait_seconds=0) as lock:
        lock.check()
        take_it_away(database)
        with pytest.raises(MigrationFailed, match="lost"):
            lock.check()


def test_an_upgrade_whose_lock_is_lost_takes_no_further_step(empty_database: Database) -> None:
    taken: list[str] = []

    def lose_it(step: str) -> None:
        taken.append(step)
        if len(taken) == 2:
            take_it_away(empty_database)

    with pytest.raises((MigrationFailed, TemporarilyUnavailable), match="lost"):
        upgrade(empty_database, before_step=lose_it)
    assert len(taken) == 2
    assert upgrade(empty_database).steps[-1] == "trackplane:0003"


def take_it_away(database: Database) -> None:
    if database.url.path is not None:
        database.url.path.with_name(f"{database.url.path.name}.migration-lock").unlink()
        return
    end_other_sessions(database)


def test_a_migrator_sees_who_serves(database: Database, tmp_path: Path) -> None:
    assert who_serves(database) == ()
    with serving_lock(database):
        child = child_that_holds(database, tmp_path / "serving", serving_lock)
        names = who_serves(database)
        assert len(names) == 2
        if database.dialect != "mysql":
            assert sorted(int(name.rpartition(":")[2]) for name in names) == sorted([os.getpid(), child])
        kill(child)
        eventually(lambda: len(who_serves(database)) == 1)
    eventually(lambda: who_serves(database) == ())
    if database.url.path is not None:
        assert [file.name for file in tmp_path.glob("*.server-*")] == []


def test_a_server_whose_session_was_lost_is_seen_again(database: Database) -> None:
    with serving_lock(database, look_seconds=0.05):
        if database.url.path is None:
            with opened(url_of(database)) as other:
                end_other_sessions(other)
        eventually(lambda: len(who_serves(database)) == 1)
    eventually(lambda: who_serves(database) == ())


def test_serving_holds_up_no_additive_migration(empty_database: Database) -> None:
    with serving_lock(empty_database):
        assert upgrade(empty_database, wait_seconds=0).steps != ()


def test_a_pooler_of_transactions_is_refused(postgresql: PostgreSql) -> None:
    postgresql.create_database("pooled")
    with (
        running_pooler(postgresql.socket_folder, "pooled", is_per_transaction=True) as url,
        opened(url) as database,
        pytest.raises(ConfigInvalid, match="pooler"),
        migration_lock(database, wait_seconds=0),
    ):
        pytest.fail("a lock was had through a pooler")


def test_a_pooler_of_sessions_serves(postgresql: PostgreSql) -> None:
    postgresql.create_database("sessions")
    with (
        running_pooler(postgresql.socket_folder, "sessions", is_per_transaction=False) as url,
        opened(url) as database,
    ):
        assert upgrade(database, wait_seconds=0).steps != ()


def url_of(database: Database) -> str:
    return database.url.url.render_as_string(hide_password=False)
