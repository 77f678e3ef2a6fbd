"""The gateway: secrets, endpoints, models, and what connects them."""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Text,
)

from tracking_server.database.migrations.mlflow.operations import create_index, create_table
from tracking_server.database.migrations.mlflow.secrets_trigger import create_secrets_trigger

revision = "1bd49d398cd23"
down_revision = "bf29a5ff90ea"


def upgrade() -> None:
    create_table(
        "secrets",
        Column("secret_id", String(36), nullable=False),
        Column("secret_name", String(255), nullable=False),
        Column("encrypted_value", LargeBinary(), nullable=False),
        Column("wrapped_dek", LargeBinary(), nullable=False),
        Column("kek_version", Integer(), nullable=False),
        Column("masked_value", String(500), nullable=False),
        Column("provider", String(64), nullable=True),
        Column("auth_config", Text(), nullable=True),
        Column("description", Text(), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("secret_id", name="secrets_pk"),
    )
    create_index("unique_secret_name", "secrets", ["secret_name"], unique=True)
    create_table(
        "endpoints",
        Column("endpoint_id", String(36), nullable=False),
        Column("name", String(255), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("endpoint_id", name="endpoints_pk"),
    )
    create_index("unique_endpoint_name", "endpoints", ["name"], unique=True)
    create_table(
        "model_definitions",
        Column("model_definition_id", String(36), nullable=False),
        Column("name", String(255), nullable=False),
        Column("secret_id", String(36), nullable=True),
        Column("provider", String(64), nullable=False),
        Column("model_name", String(256), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("model_definition_id", name="model_definitions_pk"),
        ForeignKeyConstraint(
            ["secret_id"], ["secrets.secret_id"], name="fk_model_definitions_secret_id", ondelete="SET NULL"
        ),
    )
    create_index("unique_model_definition_name", "model_definitions", ["name"], unique=True)
    create_index("index_model_definitions_secret_id", "model_definitions", ["secret_id"])
    create_index("index_model_definitions_provider", "model_definitions", ["provider"])
    create_table(
        "endpoint_model_mappings",
        Column("mapping_id", String(36), nullable=False),
        Column("endpoint_id", String(36), nullable=False),
        Column("model_definition_id", String(36), nullable=False),
        Column("weight", Float(), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        PrimaryKeyConstraint("mapping_id", name="endpoint_model_mappings_pk"),
        ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoints.endpoint_id"],
            name="fk_endpoint_model_mappings_endpoint_id",
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["model_definition_id"],
            ["model_definitions.model_definition_id"],
            name="fk_endpoint_model_mappings_model_definition_id",
        ),
    )
    create_index("index_endpoint_model_mappings_endpoint_id", "endpoint_model_mappings", ["endpoint_id"])
    create_index(
        "index_endpoint_model_mappings_model_definition_id", "endpoint_model_mappings", ["model_definition_id"]
    )
    create_index(
        "unique_endpoint_model_mapping", "endpoint_model_mappings", ["endpoint_id", "model_definition_id"], unique=True
    )
    create_table(
        "endpoint_bindings",
        Column("endpoint_id", String(36), nullable=False),
        Column("resource_type", String(50), nullable=False),
        Column("resource_id", String(255), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("created_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        PrimaryKeyConstraint("endpoint_id", "resource_type", "resource_id", name="endpoint_bindings_pk"),
        ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_bindings_endpoint_id", ondelete="CASCADE"
        ),
    )
    create_table(
        "endpoint_tags",
        Column("key", String(250), nullable=False),
        Column("value", String(5000), nullable=True),
        Column("endpoint_id", String(36), nullable=False),
        PrimaryKeyConstraint("key", "endpoint_id", name="endpoint_tag_pk"),
        ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_endpoint_tags_endpoint_id", ondelete="CASCADE"
        ),
    )
    create_index("index_endpoint_tags_endpoint_id", "endpoint_tags", ["endpoint_id"])
    create_secrets_trigger()
