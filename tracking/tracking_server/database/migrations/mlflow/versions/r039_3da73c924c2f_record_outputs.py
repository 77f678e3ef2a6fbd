"""What was put out for a record of an evaluation dataset."""

from sqlalchemy import JSON, Column

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "3da73c924c2f"
down_revision = "71994744cf8e"


def upgrade() -> None:
    add_column("evaluation_dataset_records", Column("outputs", JSON(), nullable=True))
