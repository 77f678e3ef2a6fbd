"""What the schema of an SQLite database is: its tables, and the statements that make it again."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from tracking_server.database.archive.format import Column, Kind, NativeSchema
from tracking_server.database.archive.names import StoredTable, quoted

_HIDDEN_OR_COMPUTED: Final = (1, 2, 3)

_KINDS: Final[Sequence[tuple[str, Kind]]] = (
    ("BOOL", "boolean"),
    ("JSON", "json"),
    ("INT", "integer"),
    ("CHAR", "text"),
    ("CLOB", "text"),
    ("TEXT", "text"),
    ("BLOB", "binary"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
)
"""By what the declared type contains, as SQLite itself decides; the rest, dates mostly, is stored as text."""


def sqlite_tables(connection: Connection) -> Sequence[StoredTable]:
    names = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    ).scalars()
    return [StoredTable(name=name, columns=_columns(connection, name)) for name in names.all()]


def sqlite_native_schema(connection: Connection) -> NativeSchema:
    """Indexes after the rows: that is faster. Triggers too, since they would fire."""
    objects = connection.exec_driver_sql(
        "SELECT type, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " ORDER BY type = 'view', type = 'trigger', rowid"
    ).all()
    return NativeSchema(
        before_rows=tuple(sql for kind, sql in objects if kind == "table"),
        after_rows=tuple(sql for kind, sql in objects if kind != "table"),
    )


def _columns(connection: Connection, table: str) -> Sequence[Column]:
    rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({quoted(table)})").mappings()
    return [
        Column(row["name"], _kind(str(row["type"]).upper())) for row in rows if row["hidden"] not in _HIDDEN_OR_COMPUTED
    ]


def _kind(declared: str) -> Kind:
    for part, kind in _KINDS:
        if part in declared:
            return kind
    return "text"
