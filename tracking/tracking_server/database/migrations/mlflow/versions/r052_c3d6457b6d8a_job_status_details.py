"""What a job says of its state."""

from sqlalchemy import JSON, Column

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "c3d6457b6d8a"
down_revision = "76601a5f987d"


def upgrade() -> None:
    add_column("jobs", Column("status_details", JSON(), nullable=True))
