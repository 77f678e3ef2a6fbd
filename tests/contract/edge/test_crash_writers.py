"""What `make crash` says can be believed: its writers miss whatever is taken away behind their backs."""

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.support.crash_writers import Run, Server, Writer, lost_of
from tests.support.server import live_server

SECONDS = 3
DAMAGE = {
    "param": "DELETE FROM params WHERE rowid % 7 = 0",
    "tag": "DELETE FROM tags WHERE rowid % 7 = 0",
    "metric": "UPDATE metrics SET value = value + 1 WHERE rowid % 7 = 0",
    "its end": "UPDATE runs SET status = 'RUNNING'",
}


def test_what_is_lost_is_missed(tmp_path: Path) -> None:
    store = tmp_path / "tracking.db"
    with live_server(tmp_path, f"--backend-store-uri=sqlite:///{store}", "--artifacts-destination=files") as server:
        writer = Writer(server.url, 1)
        writer.write_until(time.monotonic() + SECONDS)
        assert missing(writer.runs, server.url) == []
        assert all(count > 0 for count in writer.runs[0].acknowledged.values())

        with closing(sqlite3.connect(store)) as connection:
            for statement in DAMAGE.values():
                connection.execute(statement)
            connection.commit()
        shutil.rmtree(tmp_path / "files")
        missed = missing(writer.runs, server.url)
    assert {noun for noun in (*DAMAGE, "file") if any(f": {noun}" in what for what in missed)} == {*DAMAGE, "file"}


def test_a_run_that_is_gone_is_missed_with_all_that_it_had(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        run = Run(run_id="0" * 32, points={1: 0.5}, tags={"a": "b"})
        assert len(missing([run], server.url)) == 3


def missing(runs: list[Run], url: str) -> list[str]:
    with closing(Server(url)) as server:
        return [what for run in runs for what in lost_of(run, server, time.monotonic() + 10)]
