"""How an endpoint chooses among its models."""

from sqlalchemy import Column, Integer, String, Text

from tracking_server.database.migrations.mlflow.operations import add_column, create_index, drop_index

revision = "c9d4e5f6a7b8"
down_revision = "5d2d30f0abce"


def upgrade() -> None:
    add_column("endpoints", Column("routing_strategy", String(64), nullable=True))
    add_column("endpoints", Column("fallback_config_json", Text(), nullable=True))
    add_column("endpoint_model_mappings", Column("linkage_type", String(64), nullable=False, server_default="PRIMARY"))
    add_column("endpoint_model_mappings", Column("fallback_order", Integer(), nullable=True))
    drop_index("unique_endpoint_model_mapping", "endpoint_model_mappings")
    create_index(
        "unique_endpoint_model_linkage_mapping",
        "endpoint_model_mappings",
        ["endpoint_id", "model_definition_id", "linkage_type"],
        unique=True,
    )
