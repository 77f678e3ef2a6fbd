"""Issues found in traces."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, Text

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "76601a5f987d"
down_revision = "e1f2a3b4c5d6"


def upgrade() -> None:
    create_table(
        "issues",
        Column("issue_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("name", String(250), nullable=False),
        Column("description", Text(), nullable=False),
        Column("status", String(50), nullable=False),
        Column("severity", String(50), nullable=True),
        Column("root_causes", Text(), nullable=True),
        Column("source_run_id", String(32), nullable=True),
        Column("categories", Text(), nullable=True),
        Column("created_timestamp", BigInteger(), nullable=False),
        Column("last_updated_timestamp", BigInteger(), nullable=False),
        Column("created_by", String(255), nullable=True),
        PrimaryKeyConstraint("issue_id", name="issues_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_issues_experiment_id", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["source_run_id"], ["runs.run_uuid"], name="fk_issues_source_run_id", ondelete="SET NULL"),
    )
    create_index("index_issues_experiment_id", "issues", ["experiment_id"])
    create_index("index_issues_source_run_id", "issues", ["source_run_id"])
    create_index("index_issues_status", "issues", ["status"])
