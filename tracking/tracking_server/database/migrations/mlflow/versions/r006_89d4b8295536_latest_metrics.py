"""The latest point of each metric of a run in a table of its own, filled from all points.

The latest is that with the highest step, then time, then value, as it is stored: what is no number counts as 0, and
comes after a number that equals it. MLflow's own step fails where both have the same step and time.
"""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    PrimaryKeyConstraint,
    String,
    column,
    delete,
    func,
    insert,
    select,
    table,
)

from tracking_server.database.migrations.mlflow.operations import create_table, keep_batch, progress

revision = "89d4b8295536"
down_revision = "7ac759974ad8"


COLUMNS = ("key", "value", "timestamp", "step", "is_nan", "run_uuid")
metrics = table("metrics", *map(column, COLUMNS))
latest_metrics = table("latest_metrics", *map(column, COLUMNS))


def upgrade() -> None:
    create_table(
        "latest_metrics",
        Column("key", String(250), nullable=False),
        Column("value", Float(53), nullable=False),
        Column("timestamp", BigInteger()),
        Column("step", BigInteger(), nullable=False),
        Column("is_nan", Boolean(), nullable=False),
        Column("run_uuid", String(32), ForeignKey("runs.run_uuid"), nullable=False),
        PrimaryKeyConstraint("key", "run_uuid", name="latest_metric_pk"),
    )
    connection = op.get_bind()
    connection.execute(delete(latest_metrics))  # what a try that was killed has filled
    counted = progress("points of metrics", connection.scalar(select(func.count()).select_from(metrics)) or 0)
    key = connection.scalar(select(func.min(metrics.c.key)))
    while key is not None:
        counted.advance(_fill(key))
        keep_batch()
        key = connection.scalar(select(func.min(metrics.c.key)).where(metrics.c.key > key))
    counted.end(always=True)


def _fill(key: str) -> int:
    """One key at a time, which the primary key of the points begins with. Gives how many points it has."""
    m = metrics.c
    rank = func.row_number().over(
        partition_by=m.run_uuid, order_by=(m.step.desc(), m.timestamp.desc(), m.value.desc(), m.is_nan)
    )
    ranked = select(*(m[name] for name in COLUMNS), rank.label("place")).where(m.key == key).subquery()
    latest = select(*(ranked.c[name] for name in COLUMNS)).where(ranked.c.place == 1)
    connection = op.get_bind()
    connection.execute(insert(latest_metrics).from_select(COLUMNS, latest))
    return connection.scalar(select(func.count()).select_from(metrics).where(m.key == key)) or 0
