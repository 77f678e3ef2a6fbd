"""How often a scorer looks at new traces."""

from sqlalchemy import Column, Float, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, Text

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "2c33131f4dae"
down_revision = "c9d4e5f6a7b8"


def upgrade() -> None:
    create_table(
        "online_scoring_configs",
        Column("online_scoring_config_id", String(36), nullable=False),
        Column("scorer_id", String(36), nullable=False),
        Column("sample_rate", Float(53), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("filter_string", Text(), nullable=True),
        PrimaryKeyConstraint("online_scoring_config_id", name="online_scoring_config_pk"),
        ForeignKeyConstraint(
            ["scorer_id"], ["scorers.scorer_id"], name="fk_online_scoring_configs_scorer_id", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_online_scoring_configs_experiment_id"
        ),
    )
