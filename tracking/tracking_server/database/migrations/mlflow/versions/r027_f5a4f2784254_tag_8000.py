"""A tag of a run holds 8,000 characters."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "f5a4f2784254"
down_revision = "4465047574b1"


def upgrade() -> None:
    alter_type("tags", "value", String(8000), nullable=True)
