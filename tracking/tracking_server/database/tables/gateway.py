"""The AI gateway: secrets, model definitions, endpoints, guardrails and budgets."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    event,
)

from tracking_server.database.tables.metadata import metadata


class SecretsColumns(TypedColumns):
    secret_id: Named[str] = Column(String(36))
    secret_name: Named[str] = Column(String(255))
    encrypted_value: Named[bytes] = Column(LargeBinary)
    wrapped_dek: Named[bytes] = Column(LargeBinary)
    kek_version: Named[int] = Column(Integer)
    masked_value: Named[str] = Column(String(500))
    provider: Named[str | None] = Column(String(64))
    auth_config: Named[str | None] = Column(Text)
    description: Named[str | None] = Column(Text)
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


secrets = Table(
    "secrets",
    metadata,
    SecretsColumns,
    PrimaryKeyConstraint("secret_id", name="secrets_pk"),
    UniqueConstraint("workspace", "secret_name", name="uq_secrets_workspace_secret_name"),
    Index("idx_secrets_workspace", "workspace"),
)

# The id and the name of a secret are part of its encryption, so MLflow has a trigger forbid changing them.
for dialect, statement in (
    (
        "sqlite",
        """
CREATE TRIGGER prevent_secrets_aad_mutation
BEFORE UPDATE ON secrets
FOR EACH ROW
WHEN OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name
BEGIN
    SELECT RAISE(ABORT, 'secret_id and secret_name are immutable (used as AAD in encryption)');
END
""",
    ),
    (
        "postgresql",
        """
CREATE OR REPLACE FUNCTION prevent_secrets_aad_mutation() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name THEN
        RAISE EXCEPTION 'secret_id and secret_name are immutable (used as AAD in encryption)';
    END IF;
    RETURN NEW;
END;
$$
""",
    ),
    (
        "postgresql",
        """
CREATE TRIGGER prevent_secrets_aad_mutation BEFORE UPDATE ON secrets
FOR EACH ROW EXECUTE FUNCTION prevent_secrets_aad_mutation()
""",
    ),
    (
        "mysql",
        """
CREATE TRIGGER prevent_secrets_aad_mutation
BEFORE UPDATE ON secrets
FOR EACH ROW
BEGIN
    IF OLD.secret_id != NEW.secret_id OR OLD.secret_name != NEW.secret_name THEN
        SIGNAL SQLSTATE '45000'
        SET MESSAGE_TEXT = 'secret_id and secret_name are immutable (used as AAD in encryption)';
    END IF;
END
""",
    ),
):
    event.listen(secrets, "after_create", DDL(statement).execute_if(dialect=dialect))


class ModelDefinitionsColumns(TypedColumns):
    model_definition_id: Named[str] = Column(String(36))
    name: Named[str] = Column(String(255))
    secret_id: Named[str | None] = Column(
        String(36), ForeignKey("secrets.secret_id", name="fk_model_definitions_secret_id", ondelete="SET NULL")
    )
    provider: Named[str] = Column(String(64))
    model_name: Named[str] = Column(String(256))
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


model_definitions = Table(
    "model_definitions",
    metadata,
    ModelDefinitionsColumns,
    PrimaryKeyConstraint("model_definition_id", name="model_definitions_pk"),
    UniqueConstraint("workspace", "name", name="uq_model_definitions_workspace_name"),
    Index("idx_model_definitions_workspace", "workspace"),
    Index("index_model_definitions_provider", "provider"),
    Index("index_model_definitions_secret_id", "secret_id"),
)


class EndpointsColumns(TypedColumns):
    endpoint_id: Named[str] = Column(String(36))
    name: Named[str | None] = Column(String(255))
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    routing_strategy: Named[str | None] = Column(String(64))
    fallback_config_json: Named[str | None] = Column(Text)
    experiment_id: Named[int | None] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_endpoints_experiment_id", ondelete="SET NULL")
    )
    usage_tracking: Named[bool] = Column(Boolean, server_default="0")
    workspace: Named[str] = Column(String(63), server_default="default")


endpoints = Table(
    "endpoints",
    metadata,
    EndpointsColumns,
    PrimaryKeyConstraint("endpoint_id", name="endpoints_pk"),
    UniqueConstraint("workspace", "name", name="uq_endpoints_workspace_name"),
    Index("idx_endpoints_workspace", "workspace"),
)


class EndpointModelMappingsColumns(TypedColumns):
    mapping_id: Named[str] = Column(String(36))
    endpoint_id: Named[str] = Column(
        String(36),
        ForeignKey("endpoints.endpoint_id", name="fk_endpoint_model_mappings_endpoint_id", ondelete="CASCADE"),
    )
    model_definition_id: Named[str] = Column(
        String(36),
        ForeignKey("model_definitions.model_definition_id", name="fk_endpoint_model_mappings_model_definition_id"),
    )
    weight: Named[float] = Column(Float)
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    linkage_type: Named[str] = Column(String(64), server_default="PRIMARY")
    fallback_order: Named[int | None] = Column(Integer)


endpoint_model_mappings = Table(
    "endpoint_model_mappings",
    metadata,
    EndpointModelMappingsColumns,
    PrimaryKeyConstraint("mapping_id", name="endpoint_model_mappings_pk"),
    Index("index_endpoint_model_mappings_endpoint_id", "endpoint_id"),
    Index("index_endpoint_model_mappings_model_definition_id", "model_definition_id"),
    Index("unique_endpoint_model_linkage_mapping", "endpoint_id", "model_definition_id", "linkage_type", unique=True),
)


class EndpointBindingsColumns(TypedColumns):
    endpoint_id: Named[str] = Column(
        String(36), ForeignKey("endpoints.endpoint_id", name="fk_endpoint_bindings_endpoint_id", ondelete="CASCADE")
    )
    resource_type: Named[str] = Column(String(50))
    resource_id: Named[str] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    created_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    display_name: Named[str | None] = Column(String(255))


endpoint_bindings = Table(
    "endpoint_bindings",
    metadata,
    EndpointBindingsColumns,
    PrimaryKeyConstraint("endpoint_id", "resource_type", "resource_id", name="endpoint_bindings_pk"),
)


class EndpointTagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(5000))
    endpoint_id: Named[str] = Column(
        String(36), ForeignKey("endpoints.endpoint_id", name="fk_endpoint_tags_endpoint_id", ondelete="CASCADE")
    )


endpoint_tags = Table(
    "endpoint_tags",
    metadata,
    EndpointTagsColumns,
    PrimaryKeyConstraint("key", "endpoint_id", name="endpoint_tag_pk"),
    Index("index_endpoint_tags_endpoint_id", "endpoint_id"),
)


class GuardrailsColumns(TypedColumns):
    guardrail_id: Named[str] = Column(String(36))
    name: Named[str] = Column(String(255))
    scorer_id: Named[str] = Column(String(36))
    scorer_version: Named[int] = Column(Integer)
    stage: Named[str] = Column(String(32))
    action: Named[str] = Column(String(32))
    action_endpoint_id: Named[str | None] = Column(
        String(36), ForeignKey("endpoints.endpoint_id", name="fk_guardrails_action_endpoint_id", ondelete="SET NULL")
    )
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


guardrails = Table(
    "guardrails",
    metadata,
    GuardrailsColumns,
    PrimaryKeyConstraint("guardrail_id", name="guardrails_pk"),
    ForeignKeyConstraint(
        ["scorer_id", "scorer_version"],
        ["scorer_versions.scorer_id", "scorer_versions.scorer_version"],
        name="fk_guardrails_scorer_version",
    ),
    Index("idx_guardrails_scorer", "scorer_id", "scorer_version"),
    Index("idx_guardrails_workspace", "workspace"),
)


class GuardrailConfigsColumns(TypedColumns):
    endpoint_id: Named[str] = Column(
        String(36), ForeignKey("endpoints.endpoint_id", name="fk_guardrail_configs_endpoint_id", ondelete="CASCADE")
    )
    guardrail_id: Named[str] = Column(
        String(36), ForeignKey("guardrails.guardrail_id", name="fk_guardrail_configs_guardrail_id", ondelete="CASCADE")
    )
    execution_order: Named[int | None] = Column(Integer)
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


guardrail_configs = Table(
    "guardrail_configs",
    metadata,
    GuardrailConfigsColumns,
    PrimaryKeyConstraint("endpoint_id", "guardrail_id", name="guardrail_configs_pk"),
    Index("idx_guardrail_configs_endpoint_id", "endpoint_id"),
    Index("idx_guardrail_configs_guardrail_id", "guardrail_id"),
)


class BudgetPoliciesColumns(TypedColumns):
    budget_policy_id: Named[str] = Column(String(36))
    budget_unit: Named[str] = Column(String(32))
    budget_amount: Named[float] = Column(Float)
    duration_unit: Named[str] = Column(String(32))
    duration_value: Named[int] = Column(Integer)
    target_scope: Named[str] = Column(String(32))
    budget_action: Named[str] = Column(String(32))
    created_by: Named[str | None] = Column(String(255))
    created_at: Named[int] = Column(BigInteger)
    last_updated_by: Named[str | None] = Column(String(255))
    last_updated_at: Named[int] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")
    target_value: Named[str | None] = Column(String(255))


budget_policies = Table(
    "budget_policies",
    metadata,
    BudgetPoliciesColumns,
    PrimaryKeyConstraint("budget_policy_id", name="budget_policies_pk"),
    Index("idx_budget_policies_target_value", "target_value"),
    Index("idx_budget_policies_workspace", "workspace"),
)
