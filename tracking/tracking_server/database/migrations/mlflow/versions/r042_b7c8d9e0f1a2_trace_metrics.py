"""Numbers of traces, such as tokens."""

from sqlalchemy import Column, Float, ForeignKeyConstraint, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "b7c8d9e0f1a2"
down_revision = "1bd49d398cd23"


def upgrade() -> None:
    create_table(
        "trace_metrics",
        Column("request_id", String(50), nullable=False),
        Column("key", String(250), nullable=False),
        Column("value", Float(53), nullable=True),
        PrimaryKeyConstraint("request_id", "key", name="trace_metrics_pk"),
        ForeignKeyConstraint(
            ["request_id"], ["trace_info.request_id"], name="fk_trace_metrics_request_id", ondelete="CASCADE"
        ),
    )
    create_index("index_trace_metrics_request_id", "trace_metrics", ["request_id"])
