"""The experiment in which the use of an endpoint is traced."""

from sqlalchemy import Boolean, Column, Integer

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "d0e1f2a3b4c5"
down_revision = "d3e4f5a6b7c8"


def upgrade() -> None:
    with rebuild("endpoints") as endpoints:
        endpoints.add_column(Column("experiment_id", Integer(), nullable=True))
        endpoints.add_column(Column("usage_tracking", Boolean(), nullable=False, server_default="0"))
        endpoints.create_foreign_key(
            "fk_endpoints_experiment_id", ["experiment_id"], "experiments", ["experiment_id"], ondelete="SET NULL"
        )
