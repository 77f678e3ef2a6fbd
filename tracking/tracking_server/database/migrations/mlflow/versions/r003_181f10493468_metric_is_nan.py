"""A metric is a double, and may be no number."""

from sqlalchemy import Boolean, Column, Float, false

from tracking_server.database.migrations.mlflow.operations import dialect, rebuild

revision = "181f10493468"
down_revision = "90e64c465722"


def upgrade() -> None:
    default = false() if dialect() == "postgresql" else "0"
    with rebuild("metrics", names={}) as metrics:
        metrics.alter_column("value", type_=Float(53), existing_nullable=False, nullable=False)
        metrics.add_column(Column("is_nan", Boolean(), nullable=False, server_default=default))
        metrics.replace_primary_key("metric_pk", ("key", "timestamp", "step", "run_uuid", "value", "is_nan"))
