"""Evaluation datasets, scorers, label schemas and review queues."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
    UniqueConstraint,
    false,
)

from tracking_server.database.tables.metadata import DOUBLE, metadata


class EvaluationDatasetsColumns(TypedColumns):
    dataset_id: Named[str] = Column(String(36))
    name: Named[str] = Column(String(255))
    schema: Named[str | None] = Column(Text)
    profile: Named[str | None] = Column(Text)
    digest: Named[str | None] = Column(String(64))
    created_time: Named[int | None] = Column(BigInteger)
    last_update_time: Named[int | None] = Column(BigInteger)
    created_by: Named[str | None] = Column(String(255))
    last_updated_by: Named[str | None] = Column(String(255))
    workspace: Named[str] = Column(String(63), server_default="default")


evaluation_datasets = Table(
    "evaluation_datasets",
    metadata,
    EvaluationDatasetsColumns,
    PrimaryKeyConstraint("dataset_id", name="evaluation_datasets_pk"),
    Index("idx_evaluation_datasets_workspace", "workspace"),
    Index("index_evaluation_datasets_created_time", "created_time"),
    Index("index_evaluation_datasets_name", "name"),
)


class EvaluationDatasetRecordsColumns(TypedColumns):
    dataset_record_id: Named[str] = Column(String(36))
    dataset_id: Named[str] = Column(
        String(36),
        ForeignKey(
            "evaluation_datasets.dataset_id", name="fk_evaluation_dataset_records_dataset_id", ondelete="CASCADE"
        ),
    )
    inputs: Named[Any] = Column(JSON, nullable=False)
    expectations: Named[Any] = Column(JSON, nullable=True)
    tags: Named[Any] = Column(JSON, nullable=True)
    source: Named[Any] = Column(JSON, nullable=True)
    source_id: Named[str | None] = Column(String(36))
    source_type: Named[str | None] = Column(String(255))
    created_time: Named[int | None] = Column(BigInteger)
    last_update_time: Named[int | None] = Column(BigInteger)
    created_by: Named[str | None] = Column(String(255))
    last_updated_by: Named[str | None] = Column(String(255))
    input_hash: Named[str] = Column(String(64))
    outputs: Named[Any] = Column(JSON, nullable=True)


evaluation_dataset_records = Table(
    "evaluation_dataset_records",
    metadata,
    EvaluationDatasetRecordsColumns,
    PrimaryKeyConstraint("dataset_record_id", name="evaluation_dataset_records_pk"),
    UniqueConstraint("dataset_id", "input_hash", name="unique_dataset_input"),
    Index("index_evaluation_dataset_records_dataset_id", "dataset_id"),
)


class EvaluationDatasetTagsColumns(TypedColumns):
    dataset_id: Named[str] = Column(
        String(36),
        ForeignKey("evaluation_datasets.dataset_id", name="fk_evaluation_dataset_tags_dataset_id", ondelete="CASCADE"),
    )
    key: Named[str] = Column(String(255))
    value: Named[str | None] = Column(String(5000))


evaluation_dataset_tags = Table(
    "evaluation_dataset_tags",
    metadata,
    EvaluationDatasetTagsColumns,
    PrimaryKeyConstraint("dataset_id", "key", name="evaluation_dataset_tags_pk"),
    Index("index_evaluation_dataset_tags_dataset_id", "dataset_id"),
)


class ScorersColumns(TypedColumns):
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_scorers_experiment_id", ondelete="CASCADE")
    )
    scorer_name: Named[str] = Column(String(256))
    scorer_id: Named[str] = Column(String(36))


scorers = Table(
    "scorers",
    metadata,
    ScorersColumns,
    PrimaryKeyConstraint("scorer_id", name="scorer_pk"),
    Index("index_scorers_experiment_id_scorer_name", "experiment_id", "scorer_name", unique=True),
)


class ScorerVersionsColumns(TypedColumns):
    scorer_id: Named[str] = Column(
        String(36), ForeignKey("scorers.scorer_id", name="fk_scorer_versions_scorer_id", ondelete="CASCADE")
    )
    scorer_version: Named[int] = Column(Integer)
    serialized_scorer: Named[str] = Column(Text)
    creation_time: Named[int | None] = Column(BigInteger)


scorer_versions = Table(
    "scorer_versions",
    metadata,
    ScorerVersionsColumns,
    PrimaryKeyConstraint("scorer_id", "scorer_version", name="scorer_version_pk"),
    Index("index_scorer_versions_scorer_id", "scorer_id"),
)


class OnlineScoringConfigsColumns(TypedColumns):
    online_scoring_config_id: Named[str] = Column(String(36))
    scorer_id: Named[str] = Column(
        String(36), ForeignKey("scorers.scorer_id", name="fk_online_scoring_configs_scorer_id", ondelete="CASCADE")
    )
    sample_rate: Named[float] = Column(DOUBLE)
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_online_scoring_configs_experiment_id")
    )
    filter_string: Named[str | None] = Column(Text)


online_scoring_configs = Table(
    "online_scoring_configs",
    metadata,
    OnlineScoringConfigsColumns,
    PrimaryKeyConstraint("online_scoring_config_id", name="online_scoring_config_pk"),
)


class LabelSchemasColumns(TypedColumns):
    schema_id: Named[str] = Column(String(36))
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_label_schemas_experiment_id", ondelete="CASCADE")
    )
    name: Named[str] = Column(String(250))
    type: Named[str] = Column(String(16))
    instruction: Named[str | None] = Column(Text)
    enable_comment: Named[bool] = Column(Boolean, server_default="0")
    input_type: Named[str] = Column(String(32))
    input_config: Named[str] = Column(Text)
    created_by: Named[str | None] = Column(String(255))
    created_time: Named[int] = Column(BigInteger)
    last_update_time: Named[int] = Column(BigInteger)
    is_default: Named[bool] = Column(Boolean, server_default=false())


label_schemas = Table(
    "label_schemas",
    metadata,
    LabelSchemasColumns,
    PrimaryKeyConstraint("schema_id", name="label_schemas_pk"),
    UniqueConstraint("experiment_id", "name", name="uq_label_schemas_exp_name"),
    Index("index_label_schemas_experiment_id", "experiment_id"),
)


class ReviewQueuesColumns(TypedColumns):
    queue_id: Named[str] = Column(String(36))
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_review_queues_experiment_id", ondelete="CASCADE")
    )
    name: Named[str] = Column(String(250))
    queue_type: Named[str] = Column(String(16))
    created_by: Named[str | None] = Column(String(255))
    creation_time_ms: Named[int] = Column(BigInteger)
    last_update_time_ms: Named[int] = Column(BigInteger)
    name_key: Named[str] = Column(String(250))


review_queues = Table(
    "review_queues",
    metadata,
    ReviewQueuesColumns,
    PrimaryKeyConstraint("queue_id", name="review_queues_pk"),
    UniqueConstraint("experiment_id", "name_key", name="uq_review_queues_experiment_name_key"),
    Index("index_review_queues_experiment_id", "experiment_id"),
)


class ReviewQueueItemsColumns(TypedColumns):
    queue_id: Named[str] = Column(
        String(36), ForeignKey("review_queues.queue_id", name="fk_review_queue_items_queue_id", ondelete="CASCADE")
    )
    item_type: Named[str] = Column(String(16))
    item_id: Named[str] = Column(String(50))
    status: Named[str] = Column(String(16))
    completed_by: Named[str | None] = Column(String(250))
    completed_time_ms: Named[int | None] = Column(BigInteger)
    creation_time_ms: Named[int] = Column(BigInteger)
    last_update_time_ms: Named[int] = Column(BigInteger)


review_queue_items = Table(
    "review_queue_items",
    metadata,
    ReviewQueueItemsColumns,
    PrimaryKeyConstraint("queue_id", "item_id", name="review_queue_items_pk"),
    Index("index_review_queue_items_item_id", "item_id"),
    Index("index_review_queue_items_queue_id_status", "queue_id", "status"),
)


class ReviewQueueLabelSchemasColumns(TypedColumns):
    queue_id: Named[str] = Column(
        String(36),
        ForeignKey("review_queues.queue_id", name="fk_review_queue_label_schemas_queue_id", ondelete="CASCADE"),
    )
    schema_id: Named[str] = Column(String(36))


review_queue_label_schemas = Table(
    "review_queue_label_schemas",
    metadata,
    ReviewQueueLabelSchemasColumns,
    PrimaryKeyConstraint("queue_id", "schema_id", name="review_queue_label_schemas_pk"),
    Index("index_review_queue_label_schemas_schema_id", "schema_id"),
)


class ReviewQueueUsersColumns(TypedColumns):
    queue_id: Named[str] = Column(
        String(36), ForeignKey("review_queues.queue_id", name="fk_review_queue_users_queue_id", ondelete="CASCADE")
    )
    user_id: Named[str] = Column(String(250))


review_queue_users = Table(
    "review_queue_users",
    metadata,
    ReviewQueueUsersColumns,
    PrimaryKeyConstraint("queue_id", "user_id", name="review_queue_users_pk"),
    Index("index_review_queue_users_user_id", "user_id"),
)
