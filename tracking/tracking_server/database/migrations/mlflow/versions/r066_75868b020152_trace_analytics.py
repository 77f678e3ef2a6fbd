"""Names, sessions, tokens and costs of traces become columns; the tags, metadata and metrics that had them go.

The last of the tables for sums is made when every column is filled, and before the first row goes. So a step that was
killed knows whether the columns may be filled again: afterwards there is less to fill them from.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Identity,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import mysql

from tracking_server.database.migrations.mlflow.operations import (
    add_column,
    create_index,
    create_table,
    dialect,
    drop_column,
    has_table,
    in_batches,
    keep_batch,
    now,
    progress,
    rebuild,
)
from tracking_server.database.migrations.mlflow.trace_analytics import (
    COST,
    COSTS,
    GATEWAY_ENDPOINT,
    MODEL_LENGTH,
    NAME_LENGTH,
    NAME_TAG,
    SESSION,
    SESSION_LENGTH,
    TOKEN_USAGE,
    TOKENS,
    UnknownDimensions,
    aggregate,
    span_values,
    trace_values,
)
from tracking_server.errors import MigrationFailed

revision = "75868b020152"
down_revision = "b7e2c1a4d9f3"

FILLED: Final = "sql_trace_rollup_rebuild_queue"
DIMENSIONS: Final = "dimension_attributes"
DELETED_AT_ONCE: Final = 10_000

_metadata: Final = MetaData()
_traces: Final = Table(
    "trace_info",
    _metadata,
    Column("request_id", String(50), primary_key=True),
    Column("experiment_id", Integer()),
    Column("timestamp_ms", BigInteger()),
    Column("trace_name", String(NAME_LENGTH)),
    Column("session_id", String(SESSION_LENGTH)),
    *(Column(name, BigInteger()) for name in TOKENS),
    *(Column(name, Float(53)) for name in COSTS),
)
_TRACE_COLUMNS: Final = ("trace_name", "session_id", *TOKENS, *COSTS)
_spans: Final = Table(
    "spans",
    _metadata,
    Column("trace_id", String(50), primary_key=True),
    Column("span_id", String(50), primary_key=True),
    Column(DIMENSIONS, Text()),
    *(Column(name, Float(53)) for name in COSTS),
    Column("model_name", String(MODEL_LENGTH)),
    Column("model_provider", String(MODEL_LENGTH)),
)
_SPAN_COLUMNS: Final = (*COSTS, "model_name", "model_provider")
_assessments: Final = Table(
    "assessments",
    _metadata,
    Column("assessment_id", String(50), primary_key=True),
    Column("trace_id", String(50)),
    Column("value", Text()),
    Column("experiment_id", Integer()),
    Column("trace_timestamp_ms", BigInteger()),
    Column("aggregate_value", Float(53)),
    Column("is_numeric_value", Boolean(), nullable=False, server_default=false()),
)
_ASSESSMENT_COLUMNS: Final = ("experiment_id", "trace_timestamp_ms", "aggregate_value", "is_numeric_value")


def _words(name: str, value: Column[Any]) -> Table:
    return Table(name, _metadata, Column("request_id", String(50)), Column("key", String(250)), value)


_tags: Final = _words("trace_tags", Column("value", Text()))
_request_metadata: Final = _words("trace_request_metadata", Column("value", Text()))
# MLflow reads these as the type that its reflection finds: a DOUBLE of MySQL is then a Decimal of ten places.
_NUMBER: Final = Float(53).with_variant(mysql.DOUBLE(asdecimal=True), "mysql")
_metrics: Final = _words("trace_metrics", Column("value", _NUMBER))
_span_metrics: Final = Table(
    "span_metrics",
    _metadata,
    Column("trace_id", String(50)),
    Column("span_id", String(50)),
    Column("key", String(250)),
    Column("value", _NUMBER),
)


def upgrade() -> None:
    if not has_table(FILLED):
        _refuse_unknown_dimensions()
        _add_columns()
        _fill_traces()
        _fill_spans()
        _fill_costs_of_the_gateway()
        _fill_assessments()
        _create_sums()
    _remove(_tags, (NAME_TAG,))
    _remove(_request_metadata, (SESSION, TOKEN_USAGE, COST))
    _remove(_metrics, TOKENS)
    _remove(_span_metrics, COSTS)
    drop_column("spans", DIMENSIONS)
    _create_indexes()


def _refuse_unknown_dimensions() -> None:
    """Before anything is changed."""
    query = select(_spans.c.trace_id, _spans.c.span_id, _dimensions()).where(_spans.c[DIMENSIONS].is_not(None))
    for rows in in_batches("dimensions of spans looked at", query, [_spans.c.trace_id, _spans.c.span_id]):
        for row in rows:
            try:
                span_values(row.dimension_attributes, {})
            except UnknownDimensions as error:
                raise MigrationFailed(
                    f"The span {row.span_id} of the trace {row.trace_id} has, in dimension_attributes, {error}."
                    " The step drops that column, and would lose it: move or remove it, then run the upgrade again."
                ) from error


def _dimensions() -> Any:
    """As text: what a driver makes of JSON depends on the engine."""
    return cast(_spans.c[DIMENSIONS], Text()).label(DIMENSIONS)


def _add_columns() -> None:
    """Some may be there: `mlflow db prepopulate-trace-analytics` makes and fills them beforehand."""
    for table, names in (
        (_traces, _TRACE_COLUMNS),
        (_assessments, _ASSESSMENT_COLUMNS),
        (_spans, _SPAN_COLUMNS),
    ):
        for name in names:
            column = table.c[name]
            default = None if column.server_default is None else false()
            add_column(table.name, Column(name, column.type, nullable=column.nullable, server_default=default))


def _fill_traces() -> None:
    query = select(_traces.c.request_id, *(_traces.c[name] for name in _TRACE_COLUMNS))
    statement = update(_traces).where(_traces.c.request_id == bindparam("at_request_id"))
    connection = op.get_bind()
    for rows in in_batches("traces filled", query, [_traces.c.request_id]):
        ids = [row.request_id for row in rows]
        names = _found(connection, _tags, ids, (NAME_TAG,))
        metadata = _found(connection, _request_metadata, ids, (SESSION, TOKEN_USAGE, COST))
        metrics = _found(connection, _metrics, ids, TOKENS)
        _update(
            connection,
            statement,
            (
                ({"at_request_id": row.request_id}, row, trace_values(next(iter(name.values()), None), words, numbers))
                for row in rows
                for name, words, numbers in [
                    (names.get(row.request_id, {}), metadata.get(row.request_id, {}), metrics.get(row.request_id, {}))
                ]
            ),
        )


def _found(
    connection: Connection, table: Table, ids: Sequence[str], keys: Sequence[str]
) -> Mapping[str, dict[str, Any]]:
    query = select(table.c.request_id, table.c.key, table.c.value)
    found: dict[str, dict[str, Any]] = {}
    for request_id, key, value in connection.execute(query.where(table.c.request_id.in_(ids), table.c.key.in_(keys))):
        found.setdefault(request_id, {})[key] = value
    return found


def _fill_spans() -> None:
    """Only those that have something: most spans are of no model."""
    key = [_spans.c.trace_id, _spans.c.span_id]
    costs = select(_span_metrics.c.key).where(
        _span_metrics.c.trace_id == _spans.c.trace_id,
        _span_metrics.c.span_id == _spans.c.span_id,
        _span_metrics.c.key.in_(COSTS),
    )
    columns = [_spans.c[name] for name in _SPAN_COLUMNS]
    query = select(*key, _dimensions(), *columns).where(
        or_(_spans.c[DIMENSIONS].is_not(None), exists(costs), *(column.is_not(None) for column in columns))
    )
    statement = update(_spans).where(
        _spans.c.trace_id == bindparam("at_trace_id"), _spans.c.span_id == bindparam("at_span_id")
    )
    connection = op.get_bind()
    for rows in in_batches("spans filled", query, key):
        metrics = _costs(connection, [(row.trace_id, row.span_id) for row in rows])
        _update(
            connection,
            statement,
            (
                (
                    {"at_trace_id": row.trace_id, "at_span_id": row.span_id},
                    row,
                    span_values(row.dimension_attributes, metrics.get((row.trace_id, row.span_id), {})),
                )
                for row in rows
            ),
        )


def _costs(connection: Connection, spans: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], dict[str, float]]:
    """Of all spans of their traces: pairs of columns cannot be looked for on MSSQL."""
    table = _span_metrics
    query = select(table.c.trace_id, table.c.span_id, table.c.key, table.c.value).where(
        table.c.trace_id.in_(sorted({trace for trace, _ in spans})), table.c.key.in_(COSTS)
    )
    if dialect() != "mssql":
        query = query.where(tuple_(table.c.trace_id, table.c.span_id).in_(spans))
    found: dict[tuple[str, str], dict[str, float]] = {}
    for trace, span, key, value in connection.execute(query):
        found.setdefault((trace, span), {})[key] = value
    return found


def _fill_costs_of_the_gateway() -> None:
    """A trace of the gateway that has no cost of its own has that of its spans."""
    total = select(func.sum(_spans.c.total_cost)).where(_spans.c.trace_id == _traces.c.request_id).scalar_subquery()
    of_the_gateway = select(_request_metadata.c.key).where(
        _request_metadata.c.request_id == _traces.c.request_id, _request_metadata.c.key == GATEWAY_ENDPOINT
    )
    op.get_bind().execute(
        update(_traces)
        .where(_traces.c.total_cost.is_(None), exists(of_the_gateway), total.is_not(None))
        .values(total_cost=total)
    )


def _fill_assessments() -> None:
    """One whose trace is gone, which SQLite may have, stays as it is but for its number."""
    assessments, traces = _assessments, _traces
    query = select(
        assessments.c.assessment_id,
        assessments.c.value,
        traces.c.experiment_id.label("of_experiment"),
        traces.c.timestamp_ms.label("at"),
        *(assessments.c[name] for name in _ASSESSMENT_COLUMNS),
    ).outerjoin_from(assessments, traces, traces.c.request_id == assessments.c.trace_id)
    statement = update(assessments).where(assessments.c.assessment_id == bindparam("at_assessment_id"))
    connection = op.get_bind()
    for rows in in_batches("assessments filled", query, [assessments.c.assessment_id]):
        wanted: list[tuple[dict[str, Any], Any, Mapping[str, Any]]] = []
        for row in rows:
            number, is_number = aggregate(row.value)
            values: dict[str, Any] = dict(
                zip(_ASSESSMENT_COLUMNS, (row.of_experiment, row.at, number, is_number), strict=True)
            )
            wanted.append(({"at_assessment_id": row.assessment_id}, row, values))
        _update(connection, statement, wanted)
    _require_whether_a_number()


def _require_whether_a_number() -> None:
    """The column may be NULL where MLflow's own preparation made it."""
    nullable = {str(column["name"]): column["nullable"] for column in now().get_columns("assessments")}
    if nullable["is_numeric_value"]:
        with rebuild("assessments") as rebuilt:
            rebuilt.alter_column(
                "is_numeric_value", existing_type=Boolean(), nullable=False, existing_server_default=false()
            )


def _update(
    connection: Connection, statement: Any, wanted: Iterable[tuple[dict[str, Any], Any, Mapping[str, Any]]]
) -> None:
    """Only what is not there yet. `wanted`: of each row its key, the row, its new values."""
    changes = [
        {**key, **values}
        for key, row, values in wanted
        if any(row._mapping[name] != value for name, value in values.items())  # noqa: SLF001 - SQLAlchemy's public name
    ]
    if changes:
        names = [name for name in changes[0] if not name.startswith("at_")]
        connection.execute(statement.values({name: bindparam(name) for name in names}), changes)


def _remove(table: Table, keys: Sequence[str]) -> None:
    """MySQL keeps what it may have to undo: there in parts."""
    connection = op.get_bind()
    statement = delete(table).where(table.c.key.in_(keys))
    if dialect() != "mysql":
        connection.execute(statement)
        return
    total = connection.scalar(select(func.count()).select_from(table).where(table.c.key.in_(keys))) or 0
    counted = progress(f"rows of {table.name} removed", total)
    part = statement.with_dialect_options(mysql_limit=DELETED_AT_ONCE)
    while removed := connection.execute(part).rowcount:
        keep_batch()
        counted.advance(removed)
    counted.end(always=True)


def _create_sums() -> None:
    """`FILLED` is the last."""
    create_table(
        "sql_trace_metric_daily_rollups",
        *_sum_columns(Column("trace_status", String(50), nullable=True)),
        *(Column(name, Float(53), nullable=True) for name in ("p50_value", "p90_value", "p99_value")),
        PrimaryKeyConstraint("id", name="sql_trace_metric_daily_rollups_pk"),
    )
    create_table(
        "sql_span_cost_daily_rollups",
        *_sum_columns(
            Column("model_name", String(MODEL_LENGTH), nullable=True),
            Column("model_provider", String(MODEL_LENGTH), nullable=True),
        ),
        PrimaryKeyConstraint("id", name="sql_span_cost_daily_rollups_pk"),
    )
    create_table(
        "sql_assessment_daily_rollups",
        *_sum_columns(),
        PrimaryKeyConstraint("id", name="sql_assessment_daily_rollups_pk"),
    )
    create_table(
        FILLED,
        Column("experiment_id", Integer(), nullable=False),
        Column("rollup_day", Date(), nullable=False),
        Column("rollup_family", String(50), nullable=False),
        PrimaryKeyConstraint("experiment_id", "rollup_day", "rollup_family", name=f"{FILLED}_pk"),
    )


def _sum_columns(*by: Column[Any]) -> list[Column[Any]]:
    identity = BigInteger().with_variant(Integer(), "sqlite")
    return [
        Column("id", identity, Identity(always=False), autoincrement=True, nullable=False),
        Column("experiment_id", Integer(), nullable=False),
        Column("rollup_day", Date(), nullable=False),
        Column("metric_name", String(250), nullable=False),
        Column("grouping_set", String(50), nullable=False),
        *by,
        Column("sample_count", BigInteger(), nullable=False),
        *(Column(name, Float(53), nullable=True) for name in ("sum_value", "min_value", "max_value")),
    ]


def _create_indexes() -> None:
    create_index("index_trace_info_experiment_id_session_id", "trace_info", ["experiment_id", "session_id"])
    lookup = ["experiment_id", "rollup_day", "metric_name", "grouping_set"]
    create_index("idx_trace_rollups_lookup", "sql_trace_metric_daily_rollups", [*lookup, "trace_status"])
    create_index(
        "idx_span_cost_rollups_lookup",
        "sql_span_cost_daily_rollups",
        [*lookup, "model_name", "model_provider"],
        mysql_length={"model_name": 64, "model_provider": 64},  # a key has at most 3,072 bytes
    )
    create_index("idx_assessment_rollups_lookup", "sql_assessment_daily_rollups", lookup)
    covering: dict[str, Any] = {
        "postgresql_include": list(_SPAN_COLUMNS),
        "postgresql_where": text(" OR ".join(f"{cost} IS NOT NULL" for cost in COSTS)),
    }
    for name, leads in (
        ("idx_spans_cost_trace_time_cover", "trace_id"),
        ("idx_spans_cost_exp_time_cover", "experiment_id"),
    ):
        create_index(name, "spans", [leads, "start_time_unix_nano"], **covering)
    create_index("idx_assessments_exp_trace_ts", "assessments", ["experiment_id", "trace_timestamp_ms"])
    create_index("idx_assessments_exp_trace_ts_name", "assessments", ["experiment_id", "trace_timestamp_ms", "name"])
    create_index("idx_assessments_exp_name_valid", "assessments", ["experiment_id", "name", "valid"])
