"""What a database holds, as far as archives go, and restores that die at any moment."""

import re
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from sqlalchemy import Pool, event

from tests.support.children import die, run_in_child
from tests.support.databases import end_other_sessions
from tracking_server.database.archive.contents import ArchiveSource, is_row
from tracking_server.database.archive.files import ArchiveReader
from tracking_server.database.archive.format import Manifest, TableContent
from tracking_server.database.archive.restore import restore_source
from tracking_server.database.archive.tables import checksum_of, read_schema
from tracking_server.database.transactions import Database

_FILES: Final = frozenset({"os.rename", "os.remove", "os.chmod", "shutil.copymode", "sqlite3.connect", "os.fsync"})
"""What Python tells an audit hook of a restore into a file."""


def contents(database: Database) -> tuple[list[str], list[TableContent]]:
    """All that an archive would hold. PostgreSQL spells the casts of a CHECK another way once it has read its own."""
    with database.snapshot() as connection:
        found = read_schema(connection)
        statements = [*found.native.before_rows, *found.native.after_rows]
        spelt = [re.sub(r"::(character varying|text)(\[\])?|[()]", "", statement) for statement in statements]
        return spelt, [checksum_of(connection, table) for table in found.tables]


def restored_and_killed(database: Database, archive: Path, moment: int) -> int:
    """The exit code of a restore over the database that dies at that moment: before a statement, a commit, a table or
    its rows, or, with SQLite, before something is done to a file."""
    code = run_in_child(lambda: _Moments(moment).restore(database, archive))
    see_sessions_end(database)
    return code


def see_sessions_end(database: Database) -> None:
    """A server may be in the middle of what a killed process has asked for."""
    if database.dialect != "sqlite":
        end_other_sessions(database)


def moments_of(database: Database, archive: Path, note: Path) -> int:
    """How many such moments there are. `note`: a file to count them in."""

    def restore_and_count() -> None:
        moments = _Moments(-1)
        moments.restore(database, archive)
        note.write_text(str(next(moments.numbers)))

    assert run_in_child(restore_and_count) == 0
    return int(note.read_text())


class _Moments:
    """In a process that ends afterwards: what it listens to, it listens to for ever."""

    def __init__(self, last: int) -> None:
        self.numbers: Final = count()
        self._last = last
        self._statement = ""

    def restore(self, database: Database, archive: Path) -> None:
        if database.dialect == "sqlite":
            sys.addaudithook(lambda name, _: self.pass_one() if name in _FILES else None)
            event.listen(Pool, "connect", self._follow)
        else:
            event.listen(database.engine, "before_cursor_execute", self.pass_one)
            event.listen(database.engine, "commit", self.pass_one)
        with archive.open("rb") as file:
            restore_source(database, _Watched(ArchiveReader(file), self), replace=True)

    def _follow(self, raw: sqlite3.Connection, _record: object) -> None:
        raw.set_trace_callback(self._trace)

    def _trace(self, statement: str) -> None:
        """All rows of a table are one statement to whoever reads this."""
        begin = statement.partition(" VALUES ")[0]
        if begin != self._statement:
            self._statement = begin
            self.pass_one()

    def pass_one(self, *_: object) -> None:
        if next(self.numbers) == self._last:
            die()


class _Watched:
    """An archive whose tables, and the first row of each, are moments too."""

    def __init__(self, source: ArchiveSource, moments: _Moments) -> None:
        self._source = source
        self._moments = moments

    @property
    def manifest(self) -> Manifest:
        return self._source.manifest

    def blocks(self) -> Iterator[Sequence[bytes]]:
        is_first = False
        for block in self._source.blocks():
            for line in block:
                if is_first or not is_row(line):
                    self._moments.pass_one()
                    is_first = not is_first
                yield [line]
