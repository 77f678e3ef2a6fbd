"""Guardrails of endpoints."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Integer, PrimaryKeyConstraint, String

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "ae8bbe7743c9"
down_revision = "a5b4c3d2e1f0"


def upgrade() -> None:
    create_table(
        "guardrails",
        Column("guardrail_id", String(36), nullable=False),
        Column("name", String(255), nullable=False),
        Column("scorer_id", String(36), nullable=False),
        Column("scorer_version", Integer(), nullable=False),
        Column("stage", String(32), nullable=False),
        Column("action", String(32), nullable=False),
        Column("action_endpoint_id", String(36), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("last_updated_by", String(255), nullable=True),
        Column("last_updated_at", BigInteger(), nullable=False),
        Column("workspace", String(63), nullable=False, server_default="default"),
        PrimaryKeyConstraint("guardrail_id", name="guardrails_pk"),
        ForeignKeyConstraint(
            ["scorer_id", "scorer_version"],
            ["scorer_versions.scorer_id", "scorer_versions.scorer_version"],
            name="fk_guardrails_scorer_version",
        ),
        ForeignKeyConstraint(
            ["action_endpoint_id"],
            ["endpoints.endpoint_id"],
            name="fk_guardrails_action_endpoint_id",
            ondelete="SET NULL",
        ),
    )
    create_index("idx_guardrails_workspace", "guardrails", ["workspace"])
    create_index("idx_guardrails_scorer", "guardrails", ["scorer_id", "scorer_version"])
    create_table(
        "guardrail_configs",
        Column("endpoint_id", String(36), nullable=False),
        Column("guardrail_id", String(36), nullable=False),
        Column("execution_order", Integer(), nullable=True),
        Column("created_by", String(255), nullable=True),
        Column("created_at", BigInteger(), nullable=False),
        Column("workspace", String(63), nullable=False, server_default="default"),
        PrimaryKeyConstraint("endpoint_id", "guardrail_id", name="guardrail_configs_pk"),
        ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.endpoint_id"], name="fk_guardrail_configs_endpoint_id", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["guardrail_id"], ["guardrails.guardrail_id"], name="fk_guardrail_configs_guardrail_id", ondelete="CASCADE"
        ),
    )
    create_index("idx_guardrail_configs_endpoint_id", "guardrail_configs", ["endpoint_id"])
    create_index("idx_guardrail_configs_guardrail_id", "guardrail_configs", ["guardrail_id"])
