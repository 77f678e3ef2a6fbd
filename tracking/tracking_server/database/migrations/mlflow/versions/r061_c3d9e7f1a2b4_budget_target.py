"""To what a budget applies."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column, create_index

revision = "c3d9e7f1a2b4"
down_revision = "c1d2e3f4a5b6"


def upgrade() -> None:
    add_column("budget_policies", Column("target_value", String(255), nullable=True))
    create_index("idx_budget_policies_target_value", "budget_policies", ["target_value"])
