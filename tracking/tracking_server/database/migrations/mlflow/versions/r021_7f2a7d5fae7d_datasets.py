"""Datasets, and what went into a run."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Text
from sqlalchemy.dialects.mysql import MEDIUMTEXT

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "7f2a7d5fae7d"
down_revision = "3500859a5d39"


def upgrade() -> None:
    create_table(
        "datasets",
        Column("dataset_uuid", String(36), nullable=False),
        Column("experiment_id", Integer(), ForeignKey("experiments.experiment_id"), nullable=False),
        Column("name", String(500), nullable=False),
        Column("digest", String(36), nullable=False),
        Column("dataset_source_type", String(36), nullable=False),
        Column("dataset_source", Text(), nullable=False),
        Column("dataset_schema", Text()),
        Column("dataset_profile", Text().with_variant(MEDIUMTEXT(), "mysql")),
        PrimaryKeyConstraint("experiment_id", "name", "digest", name="dataset_pk"),
    )
    create_table(
        "inputs",
        Column("input_uuid", String(36), nullable=False),
        Column("source_type", String(36), nullable=False),
        Column("source_id", String(36), nullable=False),
        Column("destination_type", String(36), nullable=False),
        Column("destination_id", String(36), nullable=False),
        PrimaryKeyConstraint("source_type", "source_id", "destination_type", "destination_id", name="inputs_pk"),
    )
    create_table(
        "input_tags",
        Column("input_uuid", String(36), nullable=False),
        Column("name", String(255), nullable=False),
        Column("value", String(500), nullable=False),
        PrimaryKeyConstraint("input_uuid", "name", name="input_tags_pk"),
    )
    by_type = "index_datasets_experiment_id_dataset_source_type"
    create_index("index_datasets_dataset_uuid", "datasets", ["dataset_uuid"])
    create_index(by_type, "datasets", ["experiment_id", "dataset_source_type"])
    by_destination = ("destination_type", "destination_id", "source_type")
    create_index("index_inputs_input_uuid", "inputs", ["input_uuid"])
    create_index(f"index_inputs_{'_'.join(by_destination)}", "inputs", by_destination)
