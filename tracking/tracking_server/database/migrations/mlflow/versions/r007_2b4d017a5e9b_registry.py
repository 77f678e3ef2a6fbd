"""The registry: models and their versions."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_table

revision = "2b4d017a5e9b"
down_revision = "89d4b8295536"


def upgrade() -> None:
    create_table(
        "registered_models",
        Column("name", String(256), nullable=False, unique=True),
        Column("creation_time", BigInteger()),
        Column("last_updated_time", BigInteger()),
        Column("description", String(5000)),
        PrimaryKeyConstraint("name", name="registered_model_pk"),
    )
    create_table(
        "model_versions",
        Column("name", String(256), ForeignKey("registered_models.name", onupdate="cascade"), nullable=False),
        Column("version", Integer(), nullable=False),
        Column("creation_time", BigInteger()),
        Column("last_updated_time", BigInteger()),
        Column("description", String(5000)),
        Column("user_id", String(256)),
        Column("current_stage", String(20)),
        Column("source", String(500)),
        Column("run_id", String(32), nullable=False),
        Column("status", String(20)),
        Column("status_message", String(500)),
        PrimaryKeyConstraint("name", "version", name="model_version_pk"),
    )
