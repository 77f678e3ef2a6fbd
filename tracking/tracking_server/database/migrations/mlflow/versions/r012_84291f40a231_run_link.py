"""Where the run of a model version can be seen."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "84291f40a231"
down_revision = "27a6a02d2cf1"


def upgrade() -> None:
    add_column("model_versions", Column("run_link", String(500)))
