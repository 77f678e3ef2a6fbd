"""When a run was deleted."""

from sqlalchemy import BigInteger, Column

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "0c779009ac13"
down_revision = "bd07f7e963c5"


def upgrade() -> None:
    add_column("runs", Column("deleted_time", BigInteger()))
