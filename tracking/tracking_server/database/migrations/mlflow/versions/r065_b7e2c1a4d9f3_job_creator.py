"""Who made a job."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "b7e2c1a4d9f3"
down_revision = "17e22815139b"


def upgrade() -> None:
    add_column("jobs", Column("creator", String(255), nullable=True))
