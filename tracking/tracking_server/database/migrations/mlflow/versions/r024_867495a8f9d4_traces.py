"""Traces, their tags and their metadata."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "867495a8f9d4"
down_revision = "acf3f17fdcc7"


def upgrade() -> None:
    create_table(
        "trace_info",
        Column("request_id", String(50), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("timestamp_ms", BigInteger(), nullable=False),
        Column("execution_time_ms", BigInteger()),
        Column("status", String(50), nullable=False),
        ForeignKeyConstraint(("experiment_id",), ("experiments.experiment_id",), name="fk_trace_info_experiment_id"),
        PrimaryKeyConstraint("request_id", name="trace_info_pk"),
    )
    by_time = ("experiment_id", "timestamp_ms")
    create_index(f"index_trace_info_{'_'.join(by_time)}", "trace_info", by_time)
    _create_pairs("trace_tags", "trace_tag_pk")
    _create_pairs("trace_request_metadata", "trace_request_metadata_pk")


def _create_pairs(name: str, primary_key: str) -> None:
    create_table(
        name,
        Column("key", String(250), nullable=False),
        Column("value", String(8000)),
        Column("request_id", String(50), nullable=False),
        ForeignKeyConstraint(("request_id",), ("trace_info.request_id",), name=f"fk_{name}_request_id"),
        PrimaryKeyConstraint("key", "request_id", name=primary_key),
    )
    create_index(f"index_{name}_request_id", name, ["request_id"])
