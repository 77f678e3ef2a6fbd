"""When an experiment was made and changed."""

from sqlalchemy import BigInteger, Column

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "97727af70f4d"
down_revision = "cc1f77228345"


def upgrade() -> None:
    add_column("experiments", Column("creation_time", BigInteger()))
    add_column("experiments", Column("last_update_time", BigInteger()))
