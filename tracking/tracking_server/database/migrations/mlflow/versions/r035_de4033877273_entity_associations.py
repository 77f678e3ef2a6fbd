"""Edges between things of any kind."""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "de4033877273"
down_revision = "a1b2c3d4e5f6"


def upgrade() -> None:
    create_table(
        "entity_associations",
        Column("association_id", String(36), nullable=False),
        Column("source_type", String(36), nullable=False),
        Column("source_id", String(36), nullable=False),
        Column("destination_type", String(36), nullable=False),
        Column("destination_id", String(36), nullable=False),
        Column("created_time", BigInteger(), nullable=True),
        PrimaryKeyConstraint(
            "source_type", "source_id", "destination_type", "destination_id", name="entity_associations_pk"
        ),
    )
    create_index("index_entity_associations_association_id", "entity_associations", ["association_id"])
    create_index(
        "index_entity_associations_reverse_lookup",
        "entity_associations",
        ["destination_type", "destination_id", "source_type", "source_id"],
    )
