"""What the schema of a MySQL or MariaDB database is: MLflow's tables and ours, and the statements that make them again.

The statements are those of SHOW CREATE TABLE, which name no database: they make the tables wherever the session is.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import JSON, Connection, text

from tracking_server.database import schema
from tracking_server.database.archive.format import Column, Kind, NativeSchema
from tracking_server.database.archive.names import StoredTable, is_ours, quoted
from tracking_server.errors import BackupFailed

_KINDS: Final[Mapping[str, Kind]] = {
    "tinyint": "integer",
    "smallint": "integer",
    "mediumint": "integer",
    "int": "integer",
    "bigint": "integer",
    "float": "float",
    "double": "float",
    "json": "json",
    "binary": "binary",
    "varbinary": "binary",
    "tinyblob": "binary",
    "blob": "binary",
    "mediumblob": "binary",
    "longblob": "binary",
}
"""By the name of the type; the rest, texts and dates, is archived as it is written."""

_JSON: Final = frozenset(
    (table.name, column.name)
    for table in schema.metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, JSON)
)
"""MariaDB calls these long texts."""

_TABLES: Final = text("""
    SELECT table_name AS name, engine FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' ORDER BY table_name
""")
_COLUMNS: Final = text("""
    SELECT table_name AS owner, column_name AS name, data_type AS kind, column_type AS declared
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND COALESCE(generation_expression, '') = '' ORDER BY table_name, ordinal_position
""")
_SINGLES: Final = text("""
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = :owner AND data_type = 'float'
""")
TRIGGER: Final = "prevent_secrets_aad_mutation"
"""The one trigger that MLflow makes. It is made again without its definer, who may not be there."""
_TRIGGERS: Final = text("""
    SELECT trigger_name AS name, action_timing AS timing, event_manipulation AS event, event_object_table AS owner,
        action_statement AS action
    FROM information_schema.triggers WHERE trigger_schema = DATABASE() AND trigger_name = :known
""")
_STREAM: Final = "SET SESSION net_write_timeout = 86400 /*M!100108 , max_statement_time = 0 */"
"""The server gives up a reader that waits for its archive to be written."""
_SNAPSHOT: Final = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"


def begin_mysql_snapshot(connection: Connection) -> None:
    """REPEATABLE READ alone would begin it with the first row that is read."""
    connection.exec_driver_sql(_STREAM)
    connection.exec_driver_sql(_SNAPSHOT)


def mysql_tables(connection: Connection) -> Sequence[StoredTable]:
    columns: dict[str, list[Column]] = {}
    for row in connection.execute(_COLUMNS):
        kind: Kind = "json" if (row.owner, row.name) in _JSON else _kind(row.kind, row.declared)
        columns.setdefault(row.owner, []).append(Column(row.name, kind))
    return [StoredTable(name=name, columns=columns.get(name, [])) for name in _ours(connection)]


def mysql_singles(connection: Connection, table: str) -> frozenset[str]:
    """The columns that hold numbers of 32 bits."""
    return frozenset(connection.scalars(_SINGLES, {"owner": table}))


def mysql_left_out(connection: Connection) -> Sequence[str]:
    return [row.name for row in connection.execute(_TABLES) if not is_ours(row.name)]


def mysql_native_schema(connection: Connection) -> NativeSchema:
    """Raises BackupFailed for a table whose engine has no snapshots."""
    statements: list[str] = []
    for name, engine in _ours(connection).items():
        if engine.lower() != "innodb":
            raise BackupFailed(
                f"The table {name} has the engine {engine}, which has no snapshots: writes meanwhile would be torn."
                f" Run ALTER TABLE {name} ENGINE = InnoDB."
            )
        statements.append(connection.exec_driver_sql(f"SHOW CREATE TABLE {quoted(name, 'mysql')}").one()[1])
    return NativeSchema(before_rows=tuple(statements), after_rows=tuple(mysql_triggers(connection)))


def mysql_triggers(connection: Connection) -> Sequence[str]:
    """The statements that make them again."""
    return [
        f"CREATE TRIGGER {quoted(row.name, 'mysql')} {row.timing} {row.event} ON {quoted(row.owner, 'mysql')}"
        f" FOR EACH ROW {row.action}"
        for row in connection.execute(_TRIGGERS, {"known": TRIGGER})
    ]


def is_trigger(statement: str) -> bool:
    return statement.lstrip().startswith("CREATE TRIGGER")


def _ours(connection: Connection) -> Mapping[str, str]:
    return {row.name: str(row.engine) for row in connection.execute(_TABLES) if is_ours(row.name)}


def _kind(name: str, declared: str) -> Kind:
    return "boolean" if declared == "tinyint(1)" else _KINDS.get(name, "text")
