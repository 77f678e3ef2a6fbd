"""Logged models and their metrics, params and tags."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
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
)

from tracking_server.database.tables.metadata import DOUBLE, metadata


class LoggedModelsColumns(TypedColumns):
    model_id: Named[str] = Column(String(36))
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_logged_models_experiment_id", ondelete="CASCADE")
    )
    name: Named[str] = Column(String(500))
    artifact_location: Named[str] = Column(String(1000))
    creation_timestamp_ms: Named[int] = Column(BigInteger)
    last_updated_timestamp_ms: Named[int] = Column(BigInteger)
    status: Named[int] = Column(Integer)
    lifecycle_stage: Named[str | None] = Column(String(32))
    model_type: Named[str | None] = Column(String(500))
    source_run_id: Named[str | None] = Column(String(32))
    status_message: Named[str | None] = Column(String(1000))


logged_models = Table(
    "logged_models",
    metadata,
    LoggedModelsColumns,
    PrimaryKeyConstraint("model_id", name="logged_models_pk"),
    CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="logged_models_lifecycle_stage_check"),
)


class LoggedModelMetricsColumns(TypedColumns):
    model_id: Named[str] = Column(
        String(36), ForeignKey("logged_models.model_id", name="fk_logged_model_metrics_model_id", ondelete="CASCADE")
    )
    metric_name: Named[str] = Column(String(500))
    metric_timestamp_ms: Named[int] = Column(BigInteger)
    metric_step: Named[int] = Column(BigInteger)
    metric_value: Named[float | None] = Column(DOUBLE)
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_logged_model_metrics_experiment_id")
    )
    run_id: Named[str] = Column(
        String(32), ForeignKey("runs.run_uuid", name="fk_logged_model_metrics_run_id", ondelete="CASCADE")
    )
    dataset_uuid: Named[str | None] = Column(String(36))
    dataset_name: Named[str | None] = Column(String(500))
    dataset_digest: Named[str | None] = Column(String(36))


logged_model_metrics = Table(
    "logged_model_metrics",
    metadata,
    LoggedModelMetricsColumns,
    PrimaryKeyConstraint(
        "model_id", "metric_name", "metric_timestamp_ms", "metric_step", "run_id", name="logged_model_metrics_pk"
    ),
    Index("index_logged_model_metrics_model_id", "model_id"),
)


class LoggedModelParamsColumns(TypedColumns):
    model_id: Named[str] = Column(
        String(36), ForeignKey("logged_models.model_id", name="fk_logged_model_params_model_id", ondelete="CASCADE")
    )
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_logged_model_params_experiment_id")
    )
    param_key: Named[str] = Column(String(255))
    param_value: Named[str] = Column(Text)


logged_model_params = Table(
    "logged_model_params",
    metadata,
    LoggedModelParamsColumns,
    PrimaryKeyConstraint("model_id", "param_key", name="logged_model_params_pk"),
)


class LoggedModelTagsColumns(TypedColumns):
    model_id: Named[str] = Column(
        String(36), ForeignKey("logged_models.model_id", name="fk_logged_model_tags_model_id", ondelete="CASCADE")
    )
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_logged_model_tags_experiment_id")
    )
    tag_key: Named[str] = Column(String(255))
    tag_value: Named[str] = Column(Text)


logged_model_tags = Table(
    "logged_model_tags",
    metadata,
    LoggedModelTagsColumns,
    PrimaryKeyConstraint("model_id", "tag_key", name="logged_model_tags_pk"),
)
