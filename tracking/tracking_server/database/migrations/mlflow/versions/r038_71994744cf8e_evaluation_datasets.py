"""Datasets for evaluation."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "71994744cf8e"
down_revision = "534353b11cbc"


def upgrade() -> None:
    create_table(
        "evaluation_datasets",
        Column("dataset_id", String(36), nullable=False),
        Column("name", String(255), nullable=False),
        Column("schema", Text(), nullable=True),
        Column("profile", Text(), nullable=True),
        Column("digest", String(64), nullable=True),
        Column("created_time", BigInteger(), nullable=True),
        Column("last_update_time", BigInteger(), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("last_updated_by", String(255), nullable=True),
        PrimaryKeyConstraint("dataset_id", name="evaluation_datasets_pk"),
    )
    create_index("index_evaluation_datasets_name", "evaluation_datasets", ["name"])
    create_index("index_evaluation_datasets_created_time", "evaluation_datasets", ["created_time"])
    create_table(
        "evaluation_dataset_tags",
        Column("dataset_id", String(36), nullable=False),
        Column("key", String(255), nullable=False),
        Column("value", String(5000), nullable=True),
        PrimaryKeyConstraint("dataset_id", "key", name="evaluation_dataset_tags_pk"),
        ForeignKeyConstraint(
            ["dataset_id"],
            ["evaluation_datasets.dataset_id"],
            name="fk_evaluation_dataset_tags_dataset_id",
            ondelete="CASCADE",
        ),
    )
    create_index("index_evaluation_dataset_tags_dataset_id", "evaluation_dataset_tags", ["dataset_id"])
    create_table(
        "evaluation_dataset_records",
        Column("dataset_record_id", String(36), nullable=False),
        Column("dataset_id", String(36), nullable=False),
        Column("inputs", JSON(), nullable=False),
        Column("expectations", JSON(), nullable=True),
        Column("tags", JSON(), nullable=True),
        Column("source", JSON(), nullable=True),
        Column("source_id", String(36), nullable=True),
        Column("source_type", String(255), nullable=True),
        Column("created_time", BigInteger(), nullable=True),
        Column("last_update_time", BigInteger(), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("last_updated_by", String(255), nullable=True),
        Column("input_hash", String(64), nullable=False),
        PrimaryKeyConstraint("dataset_record_id", name="evaluation_dataset_records_pk"),
        ForeignKeyConstraint(
            ["dataset_id"],
            ["evaluation_datasets.dataset_id"],
            name="fk_evaluation_dataset_records_dataset_id",
            ondelete="CASCADE",
        ),
        UniqueConstraint("dataset_id", "input_hash", name="unique_dataset_input"),
    )
    create_index("index_evaluation_dataset_records_dataset_id", "evaluation_dataset_records", ["dataset_id"])
