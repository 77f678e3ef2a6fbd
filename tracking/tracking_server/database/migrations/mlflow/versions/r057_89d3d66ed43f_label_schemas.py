"""Schemas of labels."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
    false,
)

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "89d3d66ed43f"
down_revision = "da6fb0208061"


def upgrade() -> None:
    create_table(
        "label_schemas",
        Column("schema_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("name", String(250), nullable=False),
        Column("type", String(16), nullable=False),
        Column("instruction", Text(), nullable=True),
        Column("enable_comment", Boolean(), nullable=False, server_default="0"),
        Column("input_type", String(32), nullable=False),
        Column("input_config", Text(), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("created_time", BigInteger(), nullable=False),
        Column("last_update_time", BigInteger(), nullable=False),
        Column("is_default", Boolean(), nullable=False, server_default=false()),
        PrimaryKeyConstraint("schema_id", name="label_schemas_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_label_schemas_experiment_id", ondelete="CASCADE"
        ),
        UniqueConstraint("experiment_id", "name", name="uq_label_schemas_exp_name"),
    )
    create_index("index_label_schemas_experiment_id", "label_schemas", ["experiment_id"])
