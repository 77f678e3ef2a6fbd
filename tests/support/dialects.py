"""The dialects that statements are compiled for."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Dialect, Executable, make_url
from sqlalchemy.sql.elements import CompilerElement

_URLS: Final = {
    "sqlite": "sqlite://",
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "mssql": "mssql+pyodbc://",
}
DIALECTS: Final[Mapping[str, Dialect]] = {name: make_url(url).get_dialect()() for name, url in _URLS.items()}


def compiled(statement: Executable, dialect: str, columns: list[str] | None = None) -> str:
    """In one line. `columns`: those that an INSERT without values of its own is given."""
    if not isinstance(statement, CompilerElement):
        raise TypeError(f"not to be compiled: {statement!r}")
    return " ".join(str(statement.compile(dialect=DIALECTS[dialect], column_keys=columns)).split())
