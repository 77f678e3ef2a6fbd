"""Scorers and their versions."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, Text

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "534353b11cbc"
down_revision = "1a0cddfcaa16"


def upgrade() -> None:
    create_table(
        "scorers",
        Column("experiment_id", Integer(), nullable=False),
        Column("scorer_name", String(256), nullable=False),
        Column("scorer_id", String(36), nullable=False),
        PrimaryKeyConstraint("scorer_id", name="scorer_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_scorers_experiment_id", ondelete="CASCADE"
        ),
    )
    create_table(
        "scorer_versions",
        Column("scorer_id", String(36), nullable=False),
        Column("scorer_version", Integer(), nullable=False),
        Column("serialized_scorer", Text(), nullable=False),
        Column("creation_time", BigInteger(), nullable=True),
        PrimaryKeyConstraint("scorer_id", "scorer_version", name="scorer_version_pk"),
        ForeignKeyConstraint(
            ["scorer_id"], ["scorers.scorer_id"], name="fk_scorer_versions_scorer_id", ondelete="CASCADE"
        ),
    )
    create_index("index_scorers_experiment_id_scorer_name", "scorers", ["experiment_id", "scorer_name"], unique=True)
    create_index("index_scorer_versions_scorer_id", "scorer_versions", ["scorer_id"])
