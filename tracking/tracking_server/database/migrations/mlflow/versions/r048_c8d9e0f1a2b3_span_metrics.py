"""Numbers of spans, such as costs; the dimensions by which they are summed."""

from sqlalchemy import JSON, Column, Float, ForeignKeyConstraint, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import add_column, create_index, create_table

revision = "c8d9e0f1a2b3"
down_revision = "d0e1f2a3b4c5"


def upgrade() -> None:
    create_table(
        "span_metrics",
        Column("trace_id", String(50), nullable=False),
        Column("span_id", String(50), nullable=False),
        Column("key", String(250), nullable=False),
        Column("value", Float(53), nullable=True),
        PrimaryKeyConstraint("trace_id", "span_id", "key", name="span_metrics_pk"),
        ForeignKeyConstraint(
            ["trace_id", "span_id"],
            ["spans.trace_id", "spans.span_id"],
            name="fk_span_metrics_span",
            ondelete="CASCADE",
        ),
    )
    create_index("index_span_metrics_trace_id_span_id", "span_metrics", ["trace_id", "span_id"])
    add_column("spans", Column("dimension_attributes", JSON(), nullable=True))
