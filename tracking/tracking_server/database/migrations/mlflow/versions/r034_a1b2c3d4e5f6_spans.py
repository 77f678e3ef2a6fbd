"""The spans of traces."""

from sqlalchemy import BigInteger, Column, Computed, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, Text
from sqlalchemy.dialects.mysql import LONGTEXT

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "a1b2c3d4e5f6"
down_revision = "770bee3ae1dd"


def upgrade() -> None:
    create_table(
        "spans",
        Column("trace_id", String(50), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("span_id", String(50), nullable=False),
        Column("parent_span_id", String(50), nullable=True),
        Column("name", Text(), nullable=True),
        Column("type", String(500), nullable=True),
        Column("status", String(50), nullable=False),
        Column("start_time_unix_nano", BigInteger(), nullable=False),
        Column("end_time_unix_nano", BigInteger(), nullable=True),
        Column(
            "duration_ns",
            BigInteger(),
            Computed("end_time_unix_nano - start_time_unix_nano", persisted=True),
            nullable=True,
        ),
        Column("content", Text().with_variant(LONGTEXT(), "mysql"), nullable=False),
        PrimaryKeyConstraint("trace_id", "span_id", name="spans_pk"),
        ForeignKeyConstraint(["trace_id"], ["trace_info.request_id"], name="fk_spans_trace_id", ondelete="CASCADE"),
        ForeignKeyConstraint(["experiment_id"], ["experiments.experiment_id"], name="fk_spans_experiment_id"),
    )
    create_index("index_spans_experiment_id", "spans", ["experiment_id"])
    create_index("index_spans_experiment_id_status_type", "spans", ["experiment_id", "status", "type"])
    create_index("index_spans_experiment_id_type_status", "spans", ["experiment_id", "type", "status"])
    create_index("index_spans_experiment_id_duration", "spans", ["experiment_id", "duration_ns"])
