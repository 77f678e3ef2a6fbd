"""A tag of a run holds 5,000 characters."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "7ac759974ad8"
down_revision = "df50e92ffc5e"


def upgrade() -> None:
    alter_type("tags", "value", String(5000), nullable=True)
