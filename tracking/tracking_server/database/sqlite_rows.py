"""Reads of SQLite take turns for their rows: see `Turns`.

What a statement does before its first row, to look for it and to sort, waits for no turn: there SQLite works by itself.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final, cast

from tracking_server.turns import Turns

TURNS: Final = Turns(patience_seconds=0.3)


class SqliteConnection(sqlite3.Connection):
    """Its cursors count for the read that is under way, if one is."""

    _wants_turn = False
    _has_turn = False

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or _Cursor)

    @contextmanager
    def reading(self) -> Generator[None]:
        """A use that has its turn from its first rows to its end: what is made of rows wants the interpreter too."""
        self._wants_turn = True
        try:
            yield
        finally:
            self._wants_turn = False
            if self._has_turn:
                self._has_turn = False
                TURNS.give()

    def come_to_rows(self) -> None:
        if self._wants_turn:
            self._wants_turn = False
            self._has_turn = TURNS.take()


class _Cursor(sqlite3.Cursor):
    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self._come_to_rows = cast(SqliteConnection, connection).come_to_rows

    def fetchall(self) -> list[Any]:
        self._come_to_rows()
        return super().fetchall()

    def fetchmany(self, size: int | None = None) -> list[Any]:
        self._come_to_rows()
        return super().fetchmany(self.arraysize if size is None else size)
