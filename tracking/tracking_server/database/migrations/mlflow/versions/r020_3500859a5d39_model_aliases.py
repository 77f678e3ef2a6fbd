"""Aliases of model versions."""

from sqlalchemy import Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "3500859a5d39"
down_revision = "97727af70f4d"


def upgrade() -> None:
    create_table(
        "registered_model_aliases",
        Column("alias", String(256), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("name", String(256), nullable=False),
        ForeignKeyConstraint(
            ("name",),
            ("registered_models.name",),
            name="registered_model_alias_name_fkey",
            onupdate="cascade",
            ondelete="cascade",
        ),
        PrimaryKeyConstraint("name", "alias", name="registered_model_alias_pk"),
    )
