"""The model registry, and the webhooks that tell of its changes."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
)

from tracking_server.database.tables.metadata import metadata


class RegisteredModelsColumns(TypedColumns):
    name: Named[str] = Column(String(256))
    creation_time: Named[int | None] = Column(BigInteger)
    last_updated_time: Named[int | None] = Column(BigInteger)
    description: Named[str | None] = Column(String(5000))
    workspace: Named[str] = Column(String(63), server_default="default")


registered_models = Table(
    "registered_models",
    metadata,
    RegisteredModelsColumns,
    PrimaryKeyConstraint("workspace", "name", name="registered_model_pk"),
    Index("idx_registered_models_workspace", "workspace"),
)


class RegisteredModelTagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(5000))
    name: Named[str] = Column(String(256))
    workspace: Named[str] = Column(String(63), server_default="default")


registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    RegisteredModelTagsColumns,
    PrimaryKeyConstraint("workspace", "key", "name", name="registered_model_tag_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_registered_model_tags_registered_models",
        onupdate="CASCADE",
    ),
    Index("name", "name").ddl_if(dialect="mysql"),  # left there by an older foreign key
    Index("idx_registered_model_tags_workspace_name", "workspace", "name"),
)


class RegisteredModelAliasesColumns(TypedColumns):
    alias: Named[str] = Column(String(256))
    version: Named[int] = Column(Integer)
    name: Named[str] = Column(String(256))
    workspace: Named[str] = Column(String(63), server_default="default")


registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    RegisteredModelAliasesColumns,
    PrimaryKeyConstraint("workspace", "name", "alias", name="registered_model_alias_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_registered_model_aliases_registered_models",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
)


class ModelVersionsColumns(TypedColumns):
    name: Named[str] = Column(String(256))
    version: Named[int] = Column(Integer)
    creation_time: Named[int | None] = Column(BigInteger)
    last_updated_time: Named[int | None] = Column(BigInteger)
    description: Named[str | None] = Column(String(5000))
    user_id: Named[str | None] = Column(String(256))
    current_stage: Named[str | None] = Column(String(20))
    source: Named[str | None] = Column(String(500))
    run_id: Named[str | None] = Column(String(32))
    status: Named[str | None] = Column(String(20))
    status_message: Named[str | None] = Column(String(500))
    run_link: Named[str | None] = Column(String(500))
    storage_location: Named[str | None] = Column(String(500))
    workspace: Named[str] = Column(String(63), server_default="default")


model_versions = Table(
    "model_versions",
    metadata,
    ModelVersionsColumns,
    PrimaryKeyConstraint("workspace", "name", "version", name="model_version_pk"),
    ForeignKeyConstraint(
        ["workspace", "name"],
        ["registered_models.workspace", "registered_models.name"],
        name="fk_model_versions_registered_models",
        onupdate="CASCADE",
    ),
)


class ModelVersionTagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(Text)
    name: Named[str] = Column(String(256))
    version: Named[int] = Column(Integer)
    workspace: Named[str] = Column(String(63), server_default="default")


model_version_tags = Table(
    "model_version_tags",
    metadata,
    ModelVersionTagsColumns,
    PrimaryKeyConstraint("workspace", "key", "name", "version", name="model_version_tag_pk"),
    ForeignKeyConstraint(
        ["workspace", "name", "version"],
        ["model_versions.workspace", "model_versions.name", "model_versions.version"],
        name="fk_model_version_tags_model_versions",
        onupdate="CASCADE",
    ),
    Index("name", "name", "version").ddl_if(dialect="mysql"),  # left there by an older foreign key
    Index("idx_model_version_tags_workspace_name_version", "workspace", "name", "version"),
)


class WebhooksColumns(TypedColumns):
    webhook_id: Named[str] = Column(String(256))
    name: Named[str] = Column(String(256))
    description: Named[str | None] = Column(String(1000))
    url: Named[str] = Column(String(500))
    status: Named[str] = Column(String(20), server_default="ACTIVE")
    secret: Named[str | None] = Column(String(1000))
    creation_timestamp: Named[int | None] = Column(BigInteger)
    last_updated_timestamp: Named[int | None] = Column(BigInteger)
    deleted_timestamp: Named[int | None] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


webhooks = Table(
    "webhooks",
    metadata,
    WebhooksColumns,
    PrimaryKeyConstraint("webhook_id", name="webhook_pk"),
    Index("idx_webhooks_name", "name"),
    Index("idx_webhooks_status", "status"),
    Index("idx_webhooks_workspace", "workspace"),
)


class WebhookEventsColumns(TypedColumns):
    webhook_id: Named[str] = Column(String(256), ForeignKey("webhooks.webhook_id", ondelete="CASCADE"))
    entity: Named[str] = Column(String(50))
    action: Named[str] = Column(String(50))


webhook_events = Table(
    "webhook_events",
    metadata,
    WebhookEventsColumns,
    PrimaryKeyConstraint("webhook_id", "entity", "action", name="webhook_event_pk"),
    Index("idx_webhook_events_action", "action"),
    Index("idx_webhook_events_entity", "entity"),
    Index("idx_webhook_events_entity_action", "entity", "action"),
)
