"""Jobs of the server."""

from sqlalchemy import BigInteger, Column, Float, Integer, PrimaryKeyConstraint, String, Text

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "bf29a5ff90ea"
down_revision = "3da73c924c2f"


def upgrade() -> None:
    create_table(
        "jobs",
        Column("id", String(36), nullable=False),
        Column("creation_time", BigInteger(), nullable=False),
        Column("function_fullname", String(500), nullable=False),
        Column("params", Text(), nullable=False),
        Column("timeout", Float(53), nullable=True),
        Column("status", Integer(), nullable=False),
        Column("result", Text(), nullable=True),
        Column("retry_count", Integer(), nullable=False),
        Column("last_update_time", BigInteger(), nullable=False),
        PrimaryKeyConstraint("id", name="jobs_pk"),
    )
    create_index("index_jobs_function_status_creation_time", "jobs", ["function_fullname", "status", "creation_time"])
