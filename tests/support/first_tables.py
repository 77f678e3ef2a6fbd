"""The five tables that MLflow had before its first revision, on any engine: where the longest upgrade begins."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
)

FIRST_TABLES: Final = MetaData()


def _run() -> Column[str]:
    return Column("run_uuid", String(32), ForeignKey("runs.run_uuid"), nullable=False)


def _one_of(column: str, *values: str, name: str | None = None) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name or column)


Table(
    "experiments",
    FIRST_TABLES,
    Column("experiment_id", Integer, nullable=False),
    Column("name", String(256), nullable=False, unique=True),
    Column("artifact_location", String(256)),
    Column("lifecycle_stage", String(32)),
    _one_of("lifecycle_stage", "active", "deleted", name="experiments_lifecycle_stage"),
    PrimaryKeyConstraint("experiment_id", name="experiment_pk"),
)
Table(
    "runs",
    FIRST_TABLES,
    Column("run_uuid", String(32), nullable=False),
    Column("name", String(250)),
    Column("source_type", String(20)),
    Column("source_name", String(500)),
    Column("entry_point_name", String(50)),
    Column("user_id", String(256)),
    Column("status", String(20)),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger),
    Column("source_version", String(50)),
    Column("lifecycle_stage", String(20)),
    Column("artifact_uri", String(200)),
    Column("experiment_id", Integer, ForeignKey("experiments.experiment_id")),
    _one_of("source_type", "NOTEBOOK", "JOB", "LOCAL", "UNKNOWN", "PROJECT"),
    _one_of("lifecycle_stage", "active", "deleted", name="runs_lifecycle_stage"),
    _one_of("status", "SCHEDULED", "FAILED", "FINISHED", "RUNNING"),
    PrimaryKeyConstraint("run_uuid", name="run_pk"),
)
Table(
    "tags",
    FIRST_TABLES,
    Column("key", String(250), nullable=False),
    Column("value", String(250)),
    _run(),
    PrimaryKeyConstraint("key", "run_uuid", name="tag_pk"),
)
Table(
    "metrics",
    FIRST_TABLES,
    Column("key", String(250), nullable=False),
    Column("value", Float, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    _run(),
    PrimaryKeyConstraint("key", "timestamp", "value", "run_uuid", name="metric_pk"),
)
Table(
    "params",
    FIRST_TABLES,
    Column("key", String(250), nullable=False),
    Column("value", String(250), nullable=False),
    _run(),
    PrimaryKeyConstraint("key", "run_uuid", name="param_pk"),
)
