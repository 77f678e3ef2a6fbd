"""A name for what uses an endpoint."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "d3e4f5a6b7c8"
down_revision = "2c33131f4dae"


def upgrade() -> None:
    add_column("endpoint_bindings", Column("display_name", String(255), nullable=True))
