"""Upgrades that are killed before a change or a commit, in a process of its own, and run again.

`make kill-steps` sets TRACKPLANE_KILL_STRIDE to 1: each of these moments is one to be killed at. Without it, some are.
"""

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import event

from tests.support.children import die, run_in_child
from tests.support.databases import PostgreSql, opened
from tests.support.migrated import Left, differences, what_is_left
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database

CHANGES: Final = ("ALTER", "CREATE", "DROP", "INSERT", "UPDATE", "DELETE")
STRIDE: Final = int(os.environ.get("TRACKPLANE_KILL_STRIDE", "0"))
TRANSACTIONAL: Final = ("sqlite", "postgresql") if STRIDE else ("sqlite",)
"""The engines on which a step is one transaction."""
KILLED: Final = -9


def counted_upgrade(database: Database, to: str) -> int:
    """To that revision; how many moments there were."""
    moments: list[None] = []
    with at_each_moment(database, lambda: moments.append(None)):
        upgrade(database, to=to)
    return len(moments)


def killed_upgrade(database: Database, moment: int, to: str | None = None) -> int:
    """The exit code: `KILLED`, or 0 when there were fewer moments."""
    moments = count()

    def perhaps_die() -> None:
        if next(moments) == moment:
            die()

    def work() -> None:
        with at_each_moment(database, perhaps_die):
            upgrade(database, to=to)

    database.dispose()
    return run_in_child(work)


@contextmanager
def at_each_moment(database: Database, act: Callable[[], None]) -> Generator[None]:
    def at_a_change(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.lstrip().startswith(CHANGES):
            act()

    def at_a_commit(_connection: object) -> None:
        act()

    event.listen(database.engine, "before_cursor_execute", at_a_change)
    event.listen(database.engine, "commit", at_a_commit)
    try:
        yield
    finally:
        event.remove(database.engine, "before_cursor_execute", at_a_change)
        event.remove(database.engine, "commit", at_a_commit)


def copied(database: Database, server: PostgreSql | None, folder: Path, name: str) -> str:
    """The URL of an equal one."""
    database.dispose()
    if server is not None:
        return server.create_database(name, str(database.url.url.database))
    assert database.url.path is not None
    return f"sqlite:///{shutil.copyfile(database.url.path, folder / f'{name}.db')}"


def survive_kills(
    database: Database,
    server: PostgreSql | None,
    steps: Sequence[str],
    after_step: Callable[[Database, str], None],
    folder: Path,
    *,
    some: int,
) -> int:
    """Takes the database through the steps, and at each moment of each, or at some, a copy that is killed there and
    goes on. Both must end as equals. `some`: each so-and-so-manieth. Gives the number of kills."""
    stride = STRIDE or some
    moments, kills = count(), 0
    for revision in steps:
        before = copied(database, server, folder, f"before_{revision}")
        number = counted_upgrade(database, revision)
        expected = what_is_left(database)
        for moment in range(number):
            if next(moments) % stride == stride - 1:
                kills += 1
                _survive(before, server, revision, moment, expected, folder / f"killed-{kills}")
        after_step(database, revision)
    return kills


def _survive(before: str, server: PostgreSql | None, revision: str, moment: int, expected: Left, place: Path) -> None:
    place.mkdir()
    with opened(before) as start:
        copy = copied(start, server, place, f"killed_{revision}_{moment}")
    with opened(copy) as database:
        assert killed_upgrade(database, moment, revision) == KILLED, (revision, moment)
        upgrade(database, to=revision, wait_seconds=30)
        assert differences(what_is_left(database), expected) == [], (revision, moment)
    shutil.rmtree(place)
