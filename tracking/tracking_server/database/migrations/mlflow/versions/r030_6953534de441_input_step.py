"""The step at which a run put out a model."""

from sqlalchemy import BigInteger, Column

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "6953534de441"
down_revision = "400f98739977"


def upgrade() -> None:
    add_column("inputs", Column("step", BigInteger(), nullable=False, server_default="0"))
