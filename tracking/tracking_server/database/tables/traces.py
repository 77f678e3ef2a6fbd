"""Traces, spans and assessments, the issues found in them, and the daily sums made of them."""

from datetime import date
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Named,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypedColumns,
    false,
    text,
)

from tracking_server.database.tables.metadata import DOUBLE, LONG_TEXT, NAME_OF_A_MODEL, metadata


class TraceInfoColumns(TypedColumns):
    request_id: Named[str] = Column(String(50))
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_trace_info_experiment_id", ondelete="CASCADE")
    )
    timestamp_ms: Named[int] = Column(BigInteger)
    execution_time_ms: Named[int | None] = Column(BigInteger)
    status: Named[str] = Column(String(50))
    client_request_id: Named[str | None] = Column(String(50))
    request_preview: Named[str | None] = Column(String(1000))
    response_preview: Named[str | None] = Column(String(1000))
    db_payload_generation: Named[int] = Column(Integer, server_default="0")
    trace_name: Named[str | None] = Column(String(4096))
    session_id: Named[str | None] = Column(String(250))
    input_tokens: Named[int | None] = Column(BigInteger)
    output_tokens: Named[int | None] = Column(BigInteger)
    total_tokens: Named[int | None] = Column(BigInteger)
    cache_read_input_tokens: Named[int | None] = Column(BigInteger)
    cache_creation_input_tokens: Named[int | None] = Column(BigInteger)
    cache_creation_input_tokens_above_1hr: Named[int | None] = Column(BigInteger)
    input_cost: Named[float | None] = Column(DOUBLE)
    output_cost: Named[float | None] = Column(DOUBLE)
    total_cost: Named[float | None] = Column(DOUBLE)


trace_info = Table(
    "trace_info",
    metadata,
    TraceInfoColumns,
    PrimaryKeyConstraint("request_id", name="trace_info_pk"),
    Index("index_trace_info_experiment_id_session_id", "experiment_id", "session_id"),
    Index("index_trace_info_experiment_id_timestamp_ms", "experiment_id", "timestamp_ms"),
    Index("index_trace_info_timestamp_ms_request_id", "timestamp_ms", "request_id"),
)


class TraceTagsColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(8000))
    request_id: Named[str] = Column(
        String(50), ForeignKey("trace_info.request_id", name="fk_trace_tags_request_id", ondelete="CASCADE")
    )


trace_tags = Table(
    "trace_tags",
    metadata,
    TraceTagsColumns,
    PrimaryKeyConstraint("key", "request_id", name="trace_tag_pk"),
    Index("index_trace_tags_request_id", "request_id"),
)


class TraceRequestMetadataColumns(TypedColumns):
    key: Named[str] = Column(String(250))
    value: Named[str | None] = Column(String(8000))
    request_id: Named[str] = Column(
        String(50), ForeignKey("trace_info.request_id", name="fk_trace_request_metadata_request_id", ondelete="CASCADE")
    )


trace_request_metadata = Table(
    "trace_request_metadata",
    metadata,
    TraceRequestMetadataColumns,
    PrimaryKeyConstraint("key", "request_id", name="trace_request_metadata_pk"),
    Index("index_trace_request_metadata_request_id", "request_id"),
)


class TraceMetricsColumns(TypedColumns):
    request_id: Named[str] = Column(
        String(50), ForeignKey("trace_info.request_id", name="fk_trace_metrics_request_id", ondelete="CASCADE")
    )
    key: Named[str] = Column(String(250))
    value: Named[float | None] = Column(DOUBLE)


trace_metrics = Table(
    "trace_metrics",
    metadata,
    TraceMetricsColumns,
    PrimaryKeyConstraint("request_id", "key", name="trace_metrics_pk"),
    Index("index_trace_metrics_request_id", "request_id"),
)


COSTS_AND_MODEL: Final = ["input_cost", "output_cost", "total_cost", "model_name", "model_provider"]
HAS_A_COST: Final = text("input_cost IS NOT NULL OR output_cost IS NOT NULL OR total_cost IS NOT NULL")


class SpansColumns(TypedColumns):
    trace_id: Named[str] = Column(
        String(50), ForeignKey("trace_info.request_id", name="fk_spans_trace_id", ondelete="CASCADE")
    )
    experiment_id: Named[int] = Column(Integer, ForeignKey("experiments.experiment_id", name="fk_spans_experiment_id"))
    span_id: Named[str] = Column(String(50))
    parent_span_id: Named[str | None] = Column(String(50))
    name: Named[str | None] = Column(Text)
    type: Named[str | None] = Column(String(500))
    status: Named[str] = Column(String(50))
    start_time_unix_nano: Named[int] = Column(BigInteger)
    end_time_unix_nano: Named[int | None] = Column(BigInteger)
    duration_ns: Named[int | None] = Column(
        BigInteger, Computed("end_time_unix_nano - start_time_unix_nano", persisted=True)
    )
    content: Named[str] = Column(LONG_TEXT)
    input_cost: Named[float | None] = Column(DOUBLE)
    output_cost: Named[float | None] = Column(DOUBLE)
    total_cost: Named[float | None] = Column(DOUBLE)
    model_name: Named[str | None] = Column(NAME_OF_A_MODEL)
    model_provider: Named[str | None] = Column(NAME_OF_A_MODEL)


spans = Table(
    "spans",
    metadata,
    SpansColumns,
    PrimaryKeyConstraint("trace_id", "span_id", name="spans_pk"),
    Index(
        "idx_spans_cost_exp_time_cover",
        "experiment_id",
        "start_time_unix_nano",
        postgresql_include=COSTS_AND_MODEL,
        postgresql_where=HAS_A_COST,
    ),
    Index(
        "idx_spans_cost_trace_time_cover",
        "trace_id",
        "start_time_unix_nano",
        postgresql_include=COSTS_AND_MODEL,
        postgresql_where=HAS_A_COST,
    ),
    Index("index_spans_experiment_id_duration", "experiment_id", "duration_ns"),
    Index("index_spans_experiment_id_start_time", "experiment_id", "start_time_unix_nano"),
    Index("index_spans_experiment_id_status_type", "experiment_id", "status", "type"),
    Index("index_spans_experiment_id_type_status", "experiment_id", "type", "status"),
)


class SpanMetricsColumns(TypedColumns):
    trace_id: Named[str] = Column(String(50))
    span_id: Named[str] = Column(String(50))
    key: Named[str] = Column(String(250))
    value: Named[float | None] = Column(DOUBLE)


span_metrics = Table(
    "span_metrics",
    metadata,
    SpanMetricsColumns,
    PrimaryKeyConstraint("trace_id", "span_id", "key", name="span_metrics_pk"),
    ForeignKeyConstraint(
        ["trace_id", "span_id"], ["spans.trace_id", "spans.span_id"], name="fk_span_metrics_span", ondelete="CASCADE"
    ),
    Index("index_span_metrics_trace_id_span_id", "trace_id", "span_id"),
)


class AssessmentsColumns(TypedColumns):
    assessment_id: Named[str] = Column(String(50))
    trace_id: Named[str] = Column(
        String(50), ForeignKey("trace_info.request_id", name="fk_assessments_trace_id", ondelete="CASCADE")
    )
    name: Named[str] = Column(String(250))
    assessment_type: Named[str] = Column(String(20))
    value: Named[str] = Column(Text)
    error: Named[str | None] = Column(Text)
    created_timestamp: Named[int] = Column(BigInteger)
    last_updated_timestamp: Named[int] = Column(BigInteger)
    source_type: Named[str] = Column(String(50))
    source_id: Named[str | None] = Column(String(250))
    run_id: Named[str | None] = Column(String(32))
    span_id: Named[str | None] = Column(String(50))
    rationale: Named[str | None] = Column(Text)
    overrides: Named[str | None] = Column(String(50))
    valid: Named[bool] = Column(Boolean)
    assessment_metadata: Named[str | None] = Column(Text)
    experiment_id: Named[int | None] = Column(Integer)
    trace_timestamp_ms: Named[int | None] = Column(BigInteger)
    aggregate_value: Named[float | None] = Column(DOUBLE)
    is_numeric_value: Named[bool] = Column(Boolean, server_default=false())


assessments = Table(
    "assessments",
    metadata,
    AssessmentsColumns,
    PrimaryKeyConstraint("assessment_id", name="assessments_pk"),
    Index("idx_assessments_exp_name_valid", "experiment_id", "name", "valid"),
    Index("idx_assessments_exp_trace_ts", "experiment_id", "trace_timestamp_ms"),
    Index("idx_assessments_exp_trace_ts_name", "experiment_id", "trace_timestamp_ms", "name"),
    Index("index_assessments_assessment_type", "assessment_type"),
    Index("index_assessments_last_updated_timestamp", "last_updated_timestamp"),
    Index("index_assessments_run_id_created_timestamp", "run_id", "created_timestamp"),
    Index("index_assessments_trace_id_created_timestamp", "trace_id", "created_timestamp"),
)


class IssuesColumns(TypedColumns):
    issue_id: Named[str] = Column(String(36))
    experiment_id: Named[int] = Column(
        Integer, ForeignKey("experiments.experiment_id", name="fk_issues_experiment_id", ondelete="CASCADE")
    )
    name: Named[str] = Column(String(250))
    description: Named[str] = Column(Text)
    status: Named[str] = Column(String(50))
    severity: Named[str | None] = Column(String(50))
    root_causes: Named[str | None] = Column(Text)
    source_run_id: Named[str | None] = Column(
        String(32), ForeignKey("runs.run_uuid", name="fk_issues_source_run_id", ondelete="SET NULL")
    )
    categories: Named[str | None] = Column(Text)
    created_timestamp: Named[int] = Column(BigInteger)
    last_updated_timestamp: Named[int] = Column(BigInteger)
    created_by: Named[str | None] = Column(String(255))


issues = Table(
    "issues",
    metadata,
    IssuesColumns,
    PrimaryKeyConstraint("issue_id", name="issues_pk"),
    Index("index_issues_experiment_id", "experiment_id"),
    Index("index_issues_source_run_id", "source_run_id"),
    Index("index_issues_status", "status"),
)


class SqlTraceMetricDailyRollupsColumns(TypedColumns):
    id: Named[int] = Column(BigInteger().with_variant(Integer, "sqlite"), Identity())
    experiment_id: Named[int] = Column(Integer)
    rollup_day: Named[date] = Column(Date)
    metric_name: Named[str] = Column(String(250))
    grouping_set: Named[str] = Column(String(50))
    trace_status: Named[str | None] = Column(String(50))
    sample_count: Named[int] = Column(BigInteger)
    sum_value: Named[float | None] = Column(DOUBLE)
    min_value: Named[float | None] = Column(DOUBLE)
    max_value: Named[float | None] = Column(DOUBLE)
    p50_value: Named[float | None] = Column(DOUBLE)
    p90_value: Named[float | None] = Column(DOUBLE)
    p99_value: Named[float | None] = Column(DOUBLE)


sql_trace_metric_daily_rollups = Table(
    "sql_trace_metric_daily_rollups",
    metadata,
    SqlTraceMetricDailyRollupsColumns,
    PrimaryKeyConstraint("id", name="sql_trace_metric_daily_rollups_pk"),
    Index("idx_trace_rollups_lookup", "experiment_id", "rollup_day", "metric_name", "grouping_set", "trace_status"),
)


class SqlSpanCostDailyRollupsColumns(TypedColumns):
    id: Named[int] = Column(BigInteger().with_variant(Integer, "sqlite"), Identity())
    experiment_id: Named[int] = Column(Integer)
    rollup_day: Named[date] = Column(Date)
    metric_name: Named[str] = Column(String(250))
    grouping_set: Named[str] = Column(String(50))
    model_name: Named[str | None] = Column(NAME_OF_A_MODEL)
    model_provider: Named[str | None] = Column(NAME_OF_A_MODEL)
    sample_count: Named[int] = Column(BigInteger)
    sum_value: Named[float | None] = Column(DOUBLE)
    min_value: Named[float | None] = Column(DOUBLE)
    max_value: Named[float | None] = Column(DOUBLE)


sql_span_cost_daily_rollups = Table(
    "sql_span_cost_daily_rollups",
    metadata,
    SqlSpanCostDailyRollupsColumns,
    PrimaryKeyConstraint("id", name="sql_span_cost_daily_rollups_pk"),
    Index(
        "idx_span_cost_rollups_lookup",
        "experiment_id",
        "rollup_day",
        "metric_name",
        "grouping_set",
        "model_name",
        "model_provider",
        mysql_length={"model_name": 64, "model_provider": 64},
    ),
)


class SqlAssessmentDailyRollupsColumns(TypedColumns):
    id: Named[int] = Column(BigInteger().with_variant(Integer, "sqlite"), Identity())
    experiment_id: Named[int] = Column(Integer)
    rollup_day: Named[date] = Column(Date)
    metric_name: Named[str] = Column(String(250))
    grouping_set: Named[str] = Column(String(50))
    sample_count: Named[int] = Column(BigInteger)
    sum_value: Named[float | None] = Column(DOUBLE)
    min_value: Named[float | None] = Column(DOUBLE)
    max_value: Named[float | None] = Column(DOUBLE)


sql_assessment_daily_rollups = Table(
    "sql_assessment_daily_rollups",
    metadata,
    SqlAssessmentDailyRollupsColumns,
    PrimaryKeyConstraint("id", name="sql_assessment_daily_rollups_pk"),
    Index("idx_assessment_rollups_lookup", "experiment_id", "rollup_day", "metric_name", "grouping_set"),
)


class SqlTraceRollupRebuildQueueColumns(TypedColumns):
    experiment_id: Named[int] = Column(Integer)
    rollup_day: Named[date] = Column(Date)
    rollup_family: Named[str] = Column(String(50))


sql_trace_rollup_rebuild_queue = Table(
    "sql_trace_rollup_rebuild_queue",
    metadata,
    SqlTraceRollupRebuildQueueColumns,
    PrimaryKeyConstraint("experiment_id", "rollup_day", "rollup_family", name="sql_trace_rollup_rebuild_queue_pk"),
)
