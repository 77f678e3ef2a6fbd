"""Queues of traces to be reviewed."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String, UniqueConstraint

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "b7e4c1a90f23"
down_revision = "89d3d66ed43f"


def upgrade() -> None:
    create_table(
        "review_queues",
        Column("queue_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("name", String(250), nullable=False),
        Column("queue_type", String(16), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("creation_time_ms", BigInteger(), nullable=False),
        Column("last_update_time_ms", BigInteger(), nullable=False),
        Column("name_key", String(250), nullable=False),
        PrimaryKeyConstraint("queue_id", name="review_queues_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_review_queues_experiment_id", ondelete="CASCADE"
        ),
        UniqueConstraint("experiment_id", "name_key", name="uq_review_queues_experiment_name_key"),
    )
    create_index("index_review_queues_experiment_id", "review_queues", ["experiment_id"])
    create_table(
        "review_queue_users",
        Column("queue_id", String(36), nullable=False),
        Column("user_id", String(250), nullable=False),
        PrimaryKeyConstraint("queue_id", "user_id", name="review_queue_users_pk"),
        ForeignKeyConstraint(
            ["queue_id"], ["review_queues.queue_id"], name="fk_review_queue_users_queue_id", ondelete="CASCADE"
        ),
    )
    create_index("index_review_queue_users_user_id", "review_queue_users", ["user_id"])
    create_table(
        "review_queue_items",
        Column("queue_id", String(36), nullable=False),
        Column("item_type", String(16), nullable=False),
        Column("item_id", String(50), nullable=False),
        Column("status", String(16), nullable=False),
        Column("completed_by", String(250), nullable=True),
        Column("completed_time_ms", BigInteger(), nullable=True),
        Column("creation_time_ms", BigInteger(), nullable=False),
        Column("last_update_time_ms", BigInteger(), nullable=False),
        PrimaryKeyConstraint("queue_id", "item_id", name="review_queue_items_pk"),
        ForeignKeyConstraint(
            ["queue_id"], ["review_queues.queue_id"], name="fk_review_queue_items_queue_id", ondelete="CASCADE"
        ),
    )
    create_index("index_review_queue_items_queue_id_status", "review_queue_items", ["queue_id", "status"])
    create_index("index_review_queue_items_item_id", "review_queue_items", ["item_id"])
    create_table(
        "review_queue_label_schemas",
        Column("queue_id", String(36), nullable=False),
        Column("schema_id", String(36), nullable=False),
        PrimaryKeyConstraint("queue_id", "schema_id", name="review_queue_label_schemas_pk"),
        ForeignKeyConstraint(
            ["queue_id"], ["review_queues.queue_id"], name="fk_review_queue_label_schemas_queue_id", ondelete="CASCADE"
        ),
    )
    create_index("index_review_queue_label_schemas_schema_id", "review_queue_label_schemas", ["schema_id"])
