"""A metric gets a step, which is part of what tells its points apart."""

from sqlalchemy import BigInteger, Column

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "451aebb31d03"
down_revision = None


def upgrade() -> None:
    with rebuild("metrics", names={}) as metrics:
        metrics.add_column(Column("step", BigInteger(), nullable=False, server_default="0"))
        metrics.replace_primary_key("metric_pk", ("key", "timestamp", "step", "run_uuid", "value"))
