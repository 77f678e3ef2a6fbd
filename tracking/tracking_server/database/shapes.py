"""Which tables and columns a database has at a revision, and whether a database that is there has them.

What a revision has is seen on an empty database in memory, which the migrations carry to it. Some revisions differ
from the one before in nothing that can be seen so: they widen a column, or change rows.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, TypeAlias

from sqlalchemy import Connection, inspect, text

from tracking_server.database.migrations import trackplane
from tracking_server.database.migrations.upgrade import upgrade
from tracking_server.database.transactions import Database, open_database

Shape: TypeAlias = Mapping[str, frozenset[str]]
"""The columns of each table; and the indexes, among those of ours."""

_RUN: Final = "run_uuid VARCHAR(32) NOT NULL REFERENCES runs (run_uuid)"
_BEFORE_THE_FIRST: Final = (
    (
        "CREATE TABLE experiments (experiment_id INTEGER NOT NULL CONSTRAINT experiment_pk PRIMARY KEY,"
        " name VARCHAR(256) NOT NULL UNIQUE, artifact_location VARCHAR(256), lifecycle_stage VARCHAR(32),"
        " CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')))"
    ),
    (
        "CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), source_type VARCHAR(20),"
        " source_name VARCHAR(500), entry_point_name VARCHAR(50), user_id VARCHAR(256), status VARCHAR(20),"
        " start_time BIGINT, end_time BIGINT, source_version VARCHAR(50), lifecycle_stage VARCHAR(20),"
        " artifact_uri VARCHAR(200), experiment_id INTEGER REFERENCES experiments (experiment_id),"
        " CONSTRAINT run_pk PRIMARY KEY (run_uuid),"
        " CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),"
        " CONSTRAINT status CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING')),"
        " CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')))"
    ),
    (
        f"CREATE TABLE tags (key VARCHAR(250) NOT NULL, value VARCHAR(250), {_RUN},"
        " CONSTRAINT tag_pk PRIMARY KEY (key, run_uuid))"
    ),
    (
        f"CREATE TABLE metrics (key VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL, {_RUN},"
        " CONSTRAINT metric_pk PRIMARY KEY (key, timestamp, value, run_uuid))"
    ),
    (
        f"CREATE TABLE params (key VARCHAR(250) NOT NULL, value VARCHAR(250) NOT NULL, {_RUN},"
        " CONSTRAINT param_pk PRIMARY KEY (key, run_uuid))"
    ),
)
"""The tables that MLflow had before its first revision."""


def shape_of(connection: Connection) -> Shape:
    inspector = inspect(connection)
    columns = {
        table: frozenset(str(column["name"]) for column in inspector.get_columns(table))
        for table in inspector.get_table_names()
        if not table.startswith("alembic_")
    }
    indexes = {
        f"{table} (indexes)": frozenset(
            name for index in inspector.get_indexes(table) if (name := index["name"] or "").startswith("trackplane_")
        )
        for table in columns
    }
    return {**columns, **{table: names for table, names in indexes.items() if names}}


@cache
def shape_at(revision: str) -> tuple[Shape, Shape]:
    """What a revision of either lineage has, and what both heads have. Takes about a second."""
    twin = open_database("sqlite://")
    try:
        with twin.write() as connection:
            for statement in _BEFORE_THE_FIRST:
                connection.execute(text(statement))
        upgrade(twin, to=revision)
        at = _look(twin)
        upgrade(twin, to=trackplane.HEAD)
        return at, _look(twin)
    finally:
        twin.dispose()


def _look(database: Database) -> Shape:
    with database.read() as connection:
        return shape_of(connection)


def why_not(found: Shape, at: Shape, head: Shape, *, is_ours: bool) -> str | None:
    """What a database that is found lacks of a revision, or has of a later one. Pure.

    Our own tables and indexes are only looked at for a revision of ours: those of MLflow go without them.
    """
    if missing := _parts(at, is_ours=is_ours) - _parts(found, is_ours=is_ours):
        return f"it lacks {_some(missing)}"
    later = _parts(head, is_ours=is_ours) - _parts(at, is_ours=is_ours)
    if present := later & _parts(found, is_ours=is_ours):
        return f"it has {_some(present)} of a later revision"
    return None


def _parts(shape: Shape, *, is_ours: bool) -> frozenset[str]:
    parts = {f"{table}.{name}" for table, names in shape.items() for name in names}
    return frozenset(part for part in parts if is_ours or "trackplane_" not in part)


def _some(parts: frozenset[str]) -> str:
    few = sorted(parts)[:5]
    return ", ".join(few) + (f" and {len(parts) - 5} more" if len(parts) > 5 else "")
