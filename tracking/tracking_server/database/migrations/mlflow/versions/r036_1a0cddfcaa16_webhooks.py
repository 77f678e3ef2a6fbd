"""Webhooks and the events that they ask for."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "1a0cddfcaa16"
down_revision = "de4033877273"


def upgrade() -> None:
    create_table(
        "webhooks",
        Column("webhook_id", String(256), nullable=False),
        Column("name", String(256), nullable=False),
        Column("description", String(1000), nullable=True),
        Column("url", String(500), nullable=False),
        Column("status", String(20), nullable=False, server_default="ACTIVE"),
        Column("secret", String(1000), nullable=True),
        Column("creation_timestamp", BigInteger(), nullable=True),
        Column("last_updated_timestamp", BigInteger(), nullable=True),
        Column("deleted_timestamp", BigInteger(), nullable=True),
        PrimaryKeyConstraint("webhook_id", name="webhook_pk"),
    )
    create_index("idx_webhooks_status", "webhooks", ["status"])
    create_index("idx_webhooks_name", "webhooks", ["name"])
    create_table(
        "webhook_events",
        Column("webhook_id", String(256), nullable=False),
        Column("entity", String(50), nullable=False),
        Column("action", String(50), nullable=False),
        PrimaryKeyConstraint("webhook_id", "entity", "action", name="webhook_event_pk"),
        ForeignKeyConstraint(["webhook_id"], ["webhooks.webhook_id"], ondelete="cascade"),
    )
    create_index("idx_webhook_events_entity", "webhook_events", ["entity"])
    create_index("idx_webhook_events_action", "webhook_events", ["action"])
    create_index("idx_webhook_events_entity_action", "webhook_events", ["entity", "action"])
