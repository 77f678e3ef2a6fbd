"""Many rows at once, as the driver gives them: without an object of SQLAlchemy around each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable


def fetch_rows(
    connection: Connection, statement: Executable, parameters: Mapping[str, object] | None = None
) -> Sequence[Sequence[Any]]:
    """For text and numbers, which no engine needs to convert; a Boolean may come as 0 or 1."""
    with connection.execute(statement, parameters or {}) as result:
        return list(result.cursor.fetchall()) if result.cursor is not None else []


def fetch_in_parts(
    connection: Connection, statement: Executable, parameters: Mapping[str, object], size: int
) -> Iterator[Sequence[Sequence[Any]]]:
    """As `fetch_rows`, so many rows at once.

    Meanwhile SQLite's driver holds nothing, PostgreSQL's the bytes that came, MySQL's all rows.
    """
    with connection.execute(statement, parameters) as result:
        while result.cursor is not None and (part := result.cursor.fetchmany(size)):
            yield part
