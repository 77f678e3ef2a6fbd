"""A parameter holds 500 characters."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "cc1f77228345"
down_revision = "0c779009ac13"


def upgrade() -> None:
    alter_type("params", "value", String(500), nullable=False)
