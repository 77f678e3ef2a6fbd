"""A parameter holds 8,000 characters."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "2d6e25af4d3e"
down_revision = "7f2a7d5fae7d"


def upgrade() -> None:
    alter_type("params", "value", String(8000), nullable=False)
