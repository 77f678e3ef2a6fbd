"""Budgets of the gateway."""

from sqlalchemy import BigInteger, Column, Float, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "e1f2a3b4c5d6"
down_revision = "1b5f0d9ad7c1"


def upgrade() -> None:
    create_table(
        "budget_policies",
        Column("budget_policy_id", String(36), nullable=False),
        Column("budget_unit", String(32), nullable=False),
        Column("budget_amount", Float(), nullable=False),
        Column("duration_unit", String(32), nullable=False),
        Column("duration_value", Integer(), nullable=False),
        Column("target_scope", String(32), nullable=False),
        Column("budget_action", String(32), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        Column("workspace", String(63), nullable=False, server_default="default"),
        PrimaryKeyConstraint("budget_policy_id", name="budget_policies_pk"),
    )
    create_index("idx_budget_policies_workspace", "budget_policies", ["workspace"])
