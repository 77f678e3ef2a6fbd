"""Tags of experiments."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "df50e92ffc5e"
down_revision = "181f10493468"


def upgrade() -> None:
    create_table(
        "experiment_tags",
        Column("key", String(250), nullable=False),
        Column("value", String(5000)),
        Column("experiment_id", Integer(), ForeignKey("experiments.experiment_id"), nullable=False),
        PrimaryKeyConstraint("key", "experiment_id", name="experiment_tag_pk"),
    )
