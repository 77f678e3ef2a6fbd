"""Tags of registered models."""

from sqlalchemy import Column, ForeignKey, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "728d730b5ebd"
down_revision = "0a8213491aaa"


def upgrade() -> None:
    create_table(
        "registered_model_tags",
        Column("key", String(250), nullable=False),
        Column("value", String(5000)),
        Column("name", String(256), ForeignKey("registered_models.name", onupdate="cascade"), nullable=False),
        PrimaryKeyConstraint("key", "name", name="registered_model_tag_pk"),
    )
