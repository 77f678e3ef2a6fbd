"""A restore that dies before any statement leaves the old database whole, or the new one, and is run again."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from tests.support.archived import contents, moments_of, restored_and_killed
from tests.support.golden import fill_with_golden
from tracking_server.database.archive.backup import back_up
from tracking_server.database.archive.restore import restore
from tracking_server.database.transactions import Database

STRIDE: Final = int(os.environ.get("TRACKPLANE_KILL_STRIDE", "0"))
"""`make kill-steps` sets it: each so many-th moment is one to be killed at."""
NOW: Final = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)


def chosen(moments: int) -> list[int]:
    """The last ones are those around the swap."""
    return list(range(0, moments, STRIDE)) if STRIDE else [moments // 2, moments - 3, moments - 1]


def without_triggers(found: tuple[list[str], object]) -> tuple[list[str], object]:
    """MariaDB moves no table that has one: it is dropped before the swap, and made again after it."""
    return [statement for statement in found[0] if "TRIGGER" not in statement], found[1]


def left_beside(database: Database, folder: Path) -> list[str]:
    """What only a restore makes."""
    if database.dialect != "mysql":
        return [path.name for path in folder.glob(".trackplane*")]
    with database.read() as connection:
        return list(connection.scalars(text(f"SHOW DATABASES LIKE '{database.url.url.database}\\_trackplane%'")))


def test_a_restore_that_is_killed_at_any_moment_is_run_again(database: Database, tmp_path: Path) -> None:
    fill_with_golden(database, tmp_path)
    archive = back_up(database, tmp_path, now=NOW, tool="a test").path
    restore(database, archive, replace=True)
    new = contents(database)
    database.dispose()
    moments = moments_of(database, archive, tmp_path / "moments")
    assert moments > 100
    for moment in chosen(moments):
        with database.write() as connection:
            connection.execute(text("UPDATE experiments SET name = 'changed' WHERE experiment_id = 0"))
        old = contents(database)
        assert old != new
        database.dispose()
        assert restored_and_killed(database, archive, moment) == -9
        assert without_triggers(contents(database)) in (without_triggers(old), without_triggers(new))
        restore(database, archive, replace=True)
        assert contents(database) == new
        assert left_beside(database, tmp_path) == []
