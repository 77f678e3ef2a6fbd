"""What a database holds, as plain words: its tables by meaning, and its rows.

It runs in MLflow's environment too, to say the same of a database there. Nothing is reflected: what SQLAlchemy would
make of a catalogue depends on its version, the catalogue does not.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

Facts = Mapping[str, Sequence[str]]
"""Of each table (and trigger) what defines it: its columns in order, then whatever has no order, sorted."""
Rows = Mapping[str, Sequence[str]]


def facts(connection: Connection) -> Facts:
    match connection.dialect.name:
        case "sqlite":
            return _sqlite(connection)
        case "postgresql":
            return _postgresql(connection)
        case _:
            return _mysql(connection)


def rows(connection: Connection) -> Rows:
    """Sorted, as JSON. Tables without rows, and Alembic's own, are left out."""
    found = {name: _rows(connection, name) for name in _tables(connection) if not name.startswith("alembic_version")}
    return {name: lines for name, lines in found.items() if lines}


def _rows(connection: Connection, table: str) -> list[str]:
    quoted = connection.dialect.identifier_preparer.quote_identifier(table)
    found = connection.exec_driver_sql(f"SELECT * FROM {quoted}").mappings()
    return sorted(json.dumps(dict(row), sort_keys=True, default=_readable) for row in found)


def _readable(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


def _tables(connection: Connection) -> list[str]:
    statement = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%%' ORDER BY name",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
    }.get(connection.dialect.name, "SHOW TABLES")
    return [str(name) for (name,) in _all(connection, statement)]


def _all(connection: Connection, statement: str) -> Sequence[Any]:
    return connection.exec_driver_sql(statement).all()


def insert_rows(connection: Connection, tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    quoted = connection.dialect.identifier_preparer.quote_identifier
    is_mysql = connection.dialect.name == "mysql"
    if is_mysql:  # the experiment 0
        connection.exec_driver_sql("SET @before = @@sql_mode, sql_mode = 'NO_AUTO_VALUE_ON_ZERO'")
    for table, lines in tables.items():
        for line in lines:
            names = ", ".join(map(quoted, line))
            values = ", ".join(f":{name}" for name in line)
            connection.execute(text(f"INSERT INTO {quoted(table)} ({names}) VALUES ({values})"), line)
    if is_mysql:
        connection.exec_driver_sql("SET sql_mode = @before")


def _sqlite(connection: Connection) -> Facts:
    found: dict[str, list[str]] = {}
    statement = "SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
    for kind, table, sql in _all(connection, statement):
        if kind == "table":
            found.setdefault(table, [])[:0] = _parts(_one_line(sql.partition("(")[2].rpartition(")")[0]))
        else:
            found.setdefault(table, []).append(_one_line(sql))
    return {table: _ordered(lines) for table, lines in found.items()}


def _postgresql(connection: Connection) -> Facts:
    found: dict[str, list[str]] = {}
    for table, line in _all(connection, _POSTGRESQL):
        found.setdefault(table, []).append(_one_line(line))
    return {table: _ordered(lines) for table, lines in found.items()}


_POSTGRESQL = """
    WITH ours AS (SELECT oid, relname FROM pg_class
                  WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r')
    SELECT table_name, line FROM (
        SELECT 1 AS kind, attnum, relname AS table_name, concat_ws(' ', attname, format_type(atttypid, atttypmod),
            CASE WHEN attnotnull THEN 'NOT NULL' END, pg_get_expr(adbin, adrelid), attidentity, attgenerated) AS line
        FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
            LEFT JOIN pg_attrdef ON adrelid = ours.oid AND adnum = attnum
        UNION ALL SELECT 2, 0, relname, concat('CONSTRAINT ', conname, ' ', pg_get_constraintdef(c.oid))
        FROM ours JOIN pg_constraint c ON conrelid = ours.oid
        UNION ALL SELECT 2, 0, relname, concat('INDEX ', pg_get_indexdef(indexrelid))
        FROM ours JOIN pg_index ON indrelid = ours.oid
        UNION ALL SELECT 2, 0, relname, concat('CREATE ', pg_get_triggerdef(t.oid), ' ', prosrc)
        FROM ours JOIN pg_trigger t ON tgrelid = ours.oid AND NOT tgisinternal JOIN pg_proc p ON p.oid = tgfoid
    ) AS facts ORDER BY table_name, kind, attnum, line
"""


def _mysql(connection: Connection) -> Facts:
    found: dict[str, list[str]] = {}
    for table in _tables(connection):
        lines = str(_all(connection, f"SHOW CREATE TABLE `{table}`")[0][1]).splitlines()
        found[table] = [_one_line(line).rstrip(",") for line in lines[1:-1]]
    for trigger in _all(connection, "SHOW TRIGGERS"):
        found[trigger[2]].append(_one_line(f"CREATE TRIGGER {trigger[0]} {trigger[4]} {trigger[1]} {trigger[3]}"))
    return {table: _ordered(lines) for table, lines in found.items()}


def _one_line(text: str) -> str:
    return " ".join(text.split())


_UNORDERED = (
    *("CONSTRAINT ", "PRIMARY KEY", "FOREIGN KEY", "UNIQUE", "CHECK", "KEY ", "INDEX ", "CREATE "),
    "SPATIAL KEY",
)


def _ordered(lines: Sequence[str]) -> list[str]:
    columns = [line for line in lines if not line.startswith(_UNORDERED)]
    return [*columns, *sorted(line for line in lines if line.startswith(_UNORDERED))]


def _parts(text: str) -> Iterator[str]:
    """The parts between the commas that are in no brackets."""
    depth, part = 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += character
    yield part.strip()
