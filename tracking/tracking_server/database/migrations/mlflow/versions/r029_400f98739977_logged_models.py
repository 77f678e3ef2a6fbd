"""Logged models and what belongs to each."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
)

from tracking_server.database.migrations.mlflow.operations import create_index, create_table

revision = "400f98739977"
down_revision = "0584bdc529eb"


def upgrade() -> None:
    create_table(
        "logged_models",
        Column("model_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("name", String(500), nullable=False),
        Column("artifact_location", String(1000), nullable=False),
        Column("creation_timestamp_ms", BigInteger(), nullable=False),
        Column("last_updated_timestamp_ms", BigInteger(), nullable=False),
        Column("status", Integer(), nullable=False),
        Column("lifecycle_stage", String(32), nullable=True),
        Column("model_type", String(500), nullable=True),
        Column("source_run_id", String(32), nullable=True),
        Column("status_message", String(1000), nullable=True),
        PrimaryKeyConstraint("model_id", name="logged_models_pk"),
        CheckConstraint("lifecycle_stage IN ('active', 'deleted')", name="logged_models_lifecycle_stage_check"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_models_experiment_id", ondelete="CASCADE"
        ),
    )
    create_table(
        "logged_model_metrics",
        Column("model_id", String(36), nullable=False),
        Column("metric_name", String(500), nullable=False),
        Column("metric_timestamp_ms", BigInteger(), nullable=False),
        Column("metric_step", BigInteger(), nullable=False),
        Column("metric_value", Float(53), nullable=True),
        Column("experiment_id", Integer(), nullable=False),
        Column("run_id", String(32), nullable=False),
        Column("dataset_uuid", String(36), nullable=True),
        Column("dataset_name", String(500), nullable=True),
        Column("dataset_digest", String(36), nullable=True),
        PrimaryKeyConstraint(
            "model_id", "metric_name", "metric_timestamp_ms", "metric_step", "run_id", name="logged_model_metrics_pk"
        ),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_model_metrics_experiment_id"
        ),
        ForeignKeyConstraint(
            ["model_id"], ["logged_models.model_id"], name="fk_logged_model_metrics_model_id", ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["run_id"], ["runs.run_uuid"], name="fk_logged_model_metrics_run_id", ondelete="CASCADE"),
    )
    create_index("index_logged_model_metrics_model_id", "logged_model_metrics", ["model_id"])
    create_table(
        "logged_model_params",
        Column("model_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("param_key", String(255), nullable=False),
        Column("param_value", Text(), nullable=False),
        PrimaryKeyConstraint("model_id", "param_key", name="logged_model_params_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_model_params_experiment_id"
        ),
        ForeignKeyConstraint(
            ["model_id"], ["logged_models.model_id"], name="fk_logged_model_params_model_id", ondelete="CASCADE"
        ),
    )
    create_table(
        "logged_model_tags",
        Column("model_id", String(36), nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("tag_key", String(255), nullable=False),
        Column("tag_value", Text(), nullable=False),
        PrimaryKeyConstraint("model_id", "tag_key", name="logged_model_tags_pk"),
        ForeignKeyConstraint(
            ["experiment_id"], ["experiments.experiment_id"], name="fk_logged_model_tags_experiment_id"
        ),
        ForeignKeyConstraint(
            ["model_id"], ["logged_models.model_id"], name="fk_logged_model_tags_model_id", ondelete="CASCADE"
        ),
    )
