"""`schema.py` makes what MLflow 3.17.2 makes: compared with the DDL dumped from databases that MLflow made itself."""

import re
import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import Connection, text

from tests.support.databases import PostgreSql, opened
from tracking_server.database import schema
from tracking_server.database.migrations.mlflow import HEAD, releases
from tracking_server.database.transactions import Database

FACTS = Path(__file__).parents[2] / "data" / "schema"


def test_the_head_is_the_newest_revision_known() -> None:
    assert list(releases())[-1] == HEAD
    assert len(releases()) == 67


# SQLite keeps the text of each statement: two databases are equal when the texts are, but for their layout.


def statements(path: Path) -> dict[str, object]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {f"{kind} {name}": table_parts(sql) if kind == "table" else layout_free(sql) for kind, name, sql in rows}


def layout_free(sql: str) -> str:
    return re.sub(r"\s+", " ", sql.replace('"', "")).strip()


def table_parts(sql: str) -> tuple[list[str], set[str]]:
    """The columns in order; the constraints, whose order MLflow itself does not keep."""
    body = layout_free(sql).partition("(")[2].rpartition(")")[0]
    parts = [part.strip() for part in re.split(r",(?![^()]*(?:\([^()]*\)[^()]*)*\))", body)]
    is_constraint = re.compile(r"(CONSTRAINT|PRIMARY KEY|FOREIGN KEY|CHECK|UNIQUE)\b")
    columns = [part for part in parts if not is_constraint.match(part)]
    return columns, {part.replace("ON DELETE cascade", "ON DELETE CASCADE") for part in parts if part not in columns}


def test_sqlite_equals_the_head_of_mlflow(tmp_path: Path) -> None:
    facts = sqlite3.connect(tmp_path / "facts.db")
    facts.executescript((FACTS / "head_sqlite.sql").read_text())
    facts.close()
    with opened(f"sqlite:///{tmp_path / 'ours.db'}") as database:
        create_mlflow_tables(database)
    assert statements(tmp_path / "ours.db") == statements(tmp_path / "facts.db")


def create_mlflow_tables(database: Database) -> None:
    with database.write() as connection:
        schema.metadata.create_all(connection)
        schema.alembic_version.create(connection)


# PostgreSQL can say what everything is, in its own words.

CATALOG = {
    "columns": """
        SELECT c.relname || '.' || a.attname, a.attnum, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
    """,
    "constraints": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    """,
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "sequences": "SELECT sequencename, data_type::text, start_value, increment_by, cycle FROM pg_sequences",
    "triggers": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, btrim(prosrc) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
}


def catalog(connection: Connection) -> dict[str, dict[str, list[str]]]:
    return {
        kind: {str(name): [cast_free(str(part)) for part in rest] for name, *rest in connection.execute(text(query))}
        for kind, query in CATALOG.items()
    }


def cast_free(definition: str) -> str:
    """A CHECK that was dumped and read again has the same casts in other places."""
    if not definition.startswith("CHECK"):
        return definition
    return re.sub(r"::(character varying|text)(\[\])?|[()]", "", definition)


def test_postgresql_equals_the_head_of_mlflow(postgresql: PostgreSql) -> None:
    url = postgresql.create_database("facts")
    with psycopg.connect(url) as connection:
        connection.execute((FACTS / "head_postgresql.sql").read_bytes())
    with opened(url) as facts, opened(postgresql.create_database("ours")) as ours:
        create_mlflow_tables(ours)
        with ours.read() as connection_to_ours, facts.read() as connection_to_facts:
            assert catalog(connection_to_ours) == catalog(connection_to_facts)
