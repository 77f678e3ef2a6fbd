"""Experiments, runs and what a run holds: tags, params, metrics, and the datasets it read."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    TypedColumns,
    UniqueConstraint,
)

from tracking_server.database.tables.metadata import DOUBLE, MEDIUM_TEXT, UNICODE_TEXT, metadata


class ExperimentsColumns(TypedColumns):
    experiment_id: Named[int] = Column(Integer)
    name: Named[str] = Column(String(256))
    artifact_location: Named[str | None] = Column(String(256))
    lifecycle_stage: Named[str | None] = Column(String(32))
    creation_time: Named[int | None] = Column(BigInteger)
    last_update_time: Named[int | None] = Column(BigInteger)
    workspace: Named[str] = Column(String(63), server_default="default")


experiments = Table(
    "experiments",
    metadata,
    ExperimentsColumns,
    PrimaryKeyConstraint("experiment_id", name="experiment_pk"),
    UniqueConstraint("workspace", "name", name="uq_experiments_workspace_name"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="experiments_lifecycle_stage"),
    Index("idx_experiments_workspace", "workspace"),
    Index("idx_experiments_workspace_creation_time", "workspace", "creation_time"),
)


class ExperimentTagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(MEDIUM_TEXT)
    experiment_id: Named[int] = Column(Integer, ForeignKey("experiments.experiment_id"))


experiment_tags = Table(
    "experiment_tags",
    metadata,
    ExperimentTagsColumns,
    PrimaryKeyConstraint("key", "experiment_id", name="experiment_tag_pk"),
)


class RunsColumns(TypedColumns):
    run_uuid: Named[str] = Column(String(32))
    name: Named[str | None] = Column(String(250))
    source_type: Named[str | None] = Column(String(20))
    source_name: Named[str | None] = Column(String(500))
    entry_point_name: Named[str | None] = Column(String(50))
    user_id: Named[str | None] = Column(String(256))
    status: Named[str | None] = Column(String(9))
    start_time: Named[int | None] = Column(BigInteger)
    end_time: Named[int | None] = Column(BigInteger)
    source_version: Named[str | None] = Column(String(50))
    lifecycle_stage: Named[str | None] = Column(String(20))
    artifact_uri: Named[str | None] = Column(String(200))
    experiment_id: Named[int | None] = Column(Integer, ForeignKey("experiments.experiment_id"))
    deleted_time: Named[int | None] = Column(BigInteger)


runs = Table(
    "runs",
    metadata,
    RunsColumns,
    PrimaryKeyConstraint("run_uuid", name="run_pk"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="runs_lifecycle_stage"),
    CheckConstraint("source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')", name="source_type"),
    CheckConstraint("status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED')"),
)


class TagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(8000))
    run_uuid: Named[str] = Column(String(32), ForeignKey("runs.run_uuid"))


tags = Table(
    "tags",
    metadata,
    TagsColumns,
    PrimaryKeyConstraint("key", "run_uuid", name="tag_pk"),
    Index("index_tags_run_uuid", "run_uuid"),
)


class ParamsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str] = Column(String(8000))
    run_uuid: Named[str] = Column(String(32), ForeignKey("runs.run_uuid"))


params = Table(
    "params",
    metadata,
    ParamsColumns,
    PrimaryKeyConstraint("key", "run_uuid", name="param_pk"),
    Index("index_params_run_uuid", "run_uuid"),
)


class MetricsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[float] = Column(DOUBLE)
    timestamp: Named[int] = Column(BigInteger)
    run_uuid: Named[str] = Column(String(32), ForeignKey("runs.run_uuid"))
    step: Named[int] = Column(BigInteger, server_default="0")
    is_nan: Named[bool] = Column(Boolean, server_default="0")


metrics = Table(
    "metrics",
    metadata,
    MetricsColumns,
    PrimaryKeyConstraint("key", "timestamp", "step", "run_uuid", "value", "is_nan", name="metric_pk"),
    CheckConstraint("is_nan IN (0, 1)").ddl_if(dialect="sqlite"),
    CheckConstraint("is_nan IN (0, 1)").ddl_if(dialect="mysql"),
    CheckConstraint("is_nan IN (0, 1)").ddl_if(dialect="mysql"),  # MLflow makes it twice there
    Index("index_metrics_run_uuid", "run_uuid"),
    Index("index_metrics_run_uuid_key_step", "run_uuid", "key", "step"),
)


class LatestMetricsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[float] = Column(DOUBLE)
    timestamp: Named[int | None] = Column(BigInteger)
    step: Named[int] = Column(BigInteger)
    is_nan: Named[bool] = Column(Boolean)
    run_uuid: Named[str] = Column(String(32), ForeignKey("runs.run_uuid"))


latest_metrics = Table(
    "latest_metrics",
    metadata,
    LatestMetricsColumns,
    PrimaryKeyConstraint("key", "run_uuid", name="latest_metric_pk"),
    CheckConstraint("is_nan IN (0, 1)").ddl_if(dialect="sqlite"),
    CheckConstraint("is_nan IN (0, 1)").ddl_if(dialect="mysql"),
    Index("index_latest_metrics_run_uuid", "run_uuid"),
)


class DatasetsColumns(TypedColumns):
    dataset_uuid: Named[str] = Column(String(36))
    experiment_id: Named[int] = Column(
        Integer,
        ForeignKey("experiments.experiment_id", name="fk_datasets_experiment_id_experiments", ondelete="CASCADE"),
    )
    name: Named[str] = Column(String(500))
    digest: Named[str] = Column(String(36))
    dataset_source_type: Named[str] = Column(String(36))
    dataset_source: Named[str] = Column(UNICODE_TEXT)
    dataset_schema: Named[str | None] = Column(MEDIUM_TEXT)
    dataset_profile: Named[str | None] = Column(MEDIUM_TEXT)


datasets = Table(
    "datasets",
    metadata,
    DatasetsColumns,
    PrimaryKeyConstraint("experiment_id", "name", "digest", name="dataset_pk"),
    Index("index_datasets_dataset_uuid", "dataset_uuid"),
    Index("index_datasets_experiment_id_dataset_source_type", "experiment_id", "dataset_source_type"),
)


class InputsColumns(TypedColumns):
    input_uuid: Named[str] = Column(String(36))
    source_type: Named[str] = Column(String(36))
    source_id: Named[str] = Column(String(36))
    destination_type: Named[str] = Column(String(36))
    destination_id: Named[str] = Column(String(36))
    step: Named[int] = Column(BigInteger, server_default="0")


inputs = Table(
    "inputs",
    metadata,
    InputsColumns,
    PrimaryKeyConstraint("source_type", "source_id", "destination_type", "destination_id", name="inputs_pk"),
    Index(
        "index_inputs_destination_type_destination_id_source_type", "destination_type", "destination_id", "source_type"
    ),
    Index("index_inputs_input_uuid", "input_uuid"),
)


class InputTagsColumns(TypedColumns):
    input_uuid: Named[str] = Column(String(36))
    name: Named[str] = Column(String(255))
    value: Named[str] = Column(String(500))


input_tags = Table(
    "input_tags",
    metadata,
    InputTagsColumns,
    PrimaryKeyConstraint("input_uuid", "name", name="input_tags_pk"),
)


class EntityAssociationsColumns(TypedColumns):
    association_id: Named[str] = Column(String(36))
    source_type: Named[str] = Column(String(36))
    source_id: Named[str] = Column(String(36))
    destination_type: Named[str] = Column(String(36))
    destination_id: Named[str] = Column(String(36))
    created_time: Named[int | None] = Column(BigInteger)


entity_associations = Table(
    "entity_associations",
    metadata,
    EntityAssociationsColumns,
    PrimaryKeyConstraint(
        "source_type", "source_id", "destination_type", "destination_id", name="entity_associations_pk"
    ),
    Index("index_entity_associations_association_id", "association_id"),
    Index("index_entity_associations_reverse_lookup", "destination_type", "destination_id", "source_type", "source_id"),
)
