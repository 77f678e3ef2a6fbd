"""Which statements a database is sent, for tests that count them."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import event

from tracking_server.database.transactions import Database


@contextmanager
def statements_of(database: Database) -> Generator[list[str]]:
    """The first word of each."""
    seen: list[str] = []

    def note(_c: object, _u: object, statement: str, _p: object, _x: object, _m: object) -> None:
        seen.append(statement.partition(" ")[0])

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)
