"""Where the files of a model version lie."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "acf3f17fdcc7"
down_revision = "2d6e25af4d3e"


def upgrade() -> None:
    add_column("model_versions", Column("storage_location", String(500)))
