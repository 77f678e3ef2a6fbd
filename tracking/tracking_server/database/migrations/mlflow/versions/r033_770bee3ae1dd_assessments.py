"""Feedback and expectations on traces."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, PrimaryKeyConstraint, String, Text

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "770bee3ae1dd"
down_revision = "cbc13b556ace"


def upgrade() -> None:
    create_table(
        "assessments",
        Column("assessment_id", String(50), nullable=False),
        Column("trace_id", String(50), nullable=False),
        Column("name", String(250), nullable=False),
        Column("assessment_type", String(20), nullable=False),
        Column("value", Text(), nullable=False),
        Column("error", Text(), nullable=True),
        Column("created_timestamp", BigInteger(), nullable=False),
        Column("last_updated_timestamp", BigInteger(), nullable=False),
        Column("source_type", String(50), nullable=False),
        Column("source_id", String(250), nullable=True),
        Column("run_id", String(32), nullable=True),
        Column("span_id", String(50), nullable=True),
        Column("rationale", Text(), nullable=True),
        Column("overrides", String(50), nullable=True),
        Column("valid", Boolean(), nullable=False),
        Column("assessment_metadata", Text(), nullable=True),
        PrimaryKeyConstraint("assessment_id", name="assessments_pk"),
        ForeignKeyConstraint(
            ["trace_id"], ["trace_info.request_id"], name="fk_assessments_trace_id", ondelete="CASCADE"
        ),
    )
    create_index("index_assessments_trace_id_created_timestamp", "assessments", ["trace_id", "created_timestamp"])
    create_index("index_assessments_run_id_created_timestamp", "assessments", ["run_id", "created_timestamp"])
    create_index("index_assessments_last_updated_timestamp", "assessments", ["last_updated_timestamp"])
    create_index("index_assessments_assessment_type", "assessments", ["assessment_type"])
