"""Tags of model versions."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "27a6a02d2cf1"
down_revision = "728d730b5ebd"


def upgrade() -> None:
    create_table(
        "model_version_tags",
        Column("key", String(250), nullable=False),
        Column("value", String(5000)),
        Column("name", String(256), nullable=False),
        Column("version", Integer(), nullable=False),
        ForeignKeyConstraint(
            ("name", "version"), ("model_versions.name", "model_versions.version"), onupdate="cascade"
        ),
        PrimaryKeyConstraint("key", "name", "version", name="model_version_tag_pk"),
    )
