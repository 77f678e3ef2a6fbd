"""What garbage collection reads and removes: a statement for each set of rows.

Rows that refer to what is removed go with it. MLflow's own collection leaves inputs, datasets and associations behind.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    FromClause,
    Insert,
    Select,
    String,
    Update,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from tracking_server.database import schema
from tracking_server.database.schema import (
    datasets,
    entity_associations,
    experiments,
    input_tags,
    inputs,
    latest_metrics,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
    metrics,
    model_versions,
    params,
    runs,
    spans,
    tags,
    trace_info,
    trace_tags,
)
from tracking_server.database.schema import trackplane_gc_claims as claims
from tracking_server.database.statements.lists import one_of
from tracking_server.database.statements.locking import LOCK_ON_SQL_SERVER

DELETED_VERSION: Final = "Deleted_Internal"
"""The stage of a model version that was deleted: its row stays, and counts for nothing."""

ARTIFACTS_OF_TRACE: Final = "mlflow.artifactLocation"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """What can be collected. `key` is its id as text, which is how a claim names it."""

    name: str
    key: ColumnElement[str]
    stage: ColumnElement[str | None]
    deleted_at: ColumnElement[Any]
    """Milliseconds since the epoch; NULL where an old release kept no time."""


RUN: Final = Kind(name="run", key=runs.c.run_uuid, stage=runs.c.lifecycle_stage, deleted_at=runs.c.deleted_time)
LOGGED_MODEL: Final = Kind(
    name="logged_model",
    key=logged_models.c.model_id,
    stage=logged_models.c.lifecycle_stage,
    deleted_at=logged_models.c.last_updated_timestamp_ms,
)
EXPERIMENT: Final = Kind(
    name="experiment",
    key=cast(experiments.c.experiment_id, String(36)),
    stage=experiments.c.lifecycle_stage,
    deleted_at=experiments.c.last_update_time,
)


# Claims


def adopt_claims(claim_id: str) -> Update:
    """What an earlier collection did not come to the end of."""
    return update(claims).values(claim_id=claim_id)


def claim_deleted(kind: Kind, claim_id: str, now: int, deleted_before: int) -> Insert:
    """What an old release deleted without a time stays, as with MLflow; it can be named."""
    return _claim(kind, claim_id, now, and_(kind.stage == "deleted", kind.deleted_at <= deleted_before))


def claim_these(kind: Kind, claim_id: str, now: int, ids: Sequence[str]) -> Insert:
    return _claim(kind, claim_id, now, and_(kind.stage == "deleted", kind.key.in_(ids)))


def claim_of_experiments(kind: Kind, claim_id: str, now: int, experiment_ids: Sequence[int]) -> Insert:
    """The deleted runs, or all logged models, of these experiments: MLflow marks the runs with the experiment only."""
    if kind is RUN:
        return _claim(kind, claim_id, now, and_(runs.c.experiment_id.in_(experiment_ids), kind.stage == "deleted"))
    return _claim(kind, claim_id, now, logged_models.c.experiment_id.in_(experiment_ids))


def _claim(kind: Kind, claim_id: str, now: int, condition: ColumnElement[bool]) -> Insert:
    wanted = select(literal(kind.name, String), kind.key, literal(claim_id, String), literal(now, BigInteger))
    return insert(claims).from_select(
        ["kind", "id", "claim_id", "claimed_at"], wanted.where(condition, ~_is_claimed(kind))
    )


def _is_claimed(kind: Kind) -> ColumnElement[bool]:
    return exists().where(claims.c.kind == kind.name, claims.c.id == kind.key)


def select_claims(kind: Kind, after: str, limit: int) -> Select[str]:
    return select(claims.c.id).where(claims.c.kind == kind.name, claims.c.id > after).order_by(claims.c.id).limit(limit)


def select_claimed(kind: Kind, ids: Sequence[str]) -> Select[str]:
    return select(claims.c.id).where(claims.c.kind == kind.name, claims.c.id.in_(ids))


def select_claimed_since(kind: Kind, since: int | None, after: str, limit: int) -> Select[str]:
    """A page of the claimed that were deleted at that time or later, or nobody knows when; all when it is None.

    A logged model that goes with its experiment was deleted with it.
    """
    rows: FromClause = runs if kind is RUN else experiments
    deleted_at: ColumnElement[Any] = kind.deleted_at
    if kind is LOGGED_MODEL:
        rows = logged_models.join(experiments, experiments.c.experiment_id == logged_models.c.experiment_id)
        own = logged_models.c.lifecycle_stage == "deleted"
        deleted_at = case((own, logged_models.c.last_updated_timestamp_ms), else_=experiments.c.last_update_time)
    wanted = select(kind.key).select_from(rows).where(_is_claimed(kind), kind.key > after)
    if since is not None:
        wanted = wanted.where(or_(deleted_at.is_(None), deleted_at >= since))
    return wanted.order_by(kind.key).limit(limit)


def restore_unclaimed_runs(experiment_id: int) -> Update:
    return (
        update(runs)
        .where(runs.c.experiment_id == experiment_id, ~_is_claimed(RUN))
        .values(lifecycle_stage="active", deleted_time=None)
    )


def select_claimed_active_runs(experiment_id: int) -> Select[str]:
    return select(runs.c.run_uuid).where(
        runs.c.experiment_id == experiment_id, runs.c.lifecycle_stage == "active", _is_claimed(RUN)
    )


RELEASE: Final = delete(claims).where(claims.c.kind == bindparam("kind"), one_of(claims.c.id, "ids"))
"""The claims of that kind on these `ids`."""


def release_active_models(experiment_id: int) -> Delete:
    """They were claimed with their experiment, which stays."""
    active = select(logged_models.c.model_id).where(
        logged_models.c.experiment_id == experiment_id, logged_models.c.lifecycle_stage == "active"
    )
    return delete(claims).where(claims.c.kind == LOGGED_MODEL.name, claims.c.id.in_(active))


def count_claims(kind: Kind) -> Select[int]:
    return select(func.count()).select_from(claims).where(claims.c.kind == kind.name)


def count_claimed_traces() -> Select[int]:
    """Of the claimed experiments."""
    experiment_id = cast(trace_info.c.experiment_id, String(36))
    is_claimed = exists().where(claims.c.kind == EXPERIMENT.name, claims.c.id == experiment_id)
    return select(func.count()).select_from(trace_info).where(is_claimed)


def select_stages(kind: Kind, ids: Sequence[str]) -> Select[str, str | None, int | None]:
    return select(kind.key, kind.stage, kind.deleted_at).where(kind.key.in_(ids))


def select_experiments_with_more(kind: Kind, experiment_ids: Sequence[int]) -> Select[Any]:
    """Those that have runs, or logged models, which are not claimed: they cannot go."""
    experiment_id: ColumnElement[Any] = runs.c.experiment_id if kind is RUN else logged_models.c.experiment_id
    return select(experiment_id).distinct().where(experiment_id.in_(experiment_ids), ~_is_claimed(kind))


def select_experiments_with_any(kind: Kind, experiment_ids: Sequence[int]) -> Select[Any]:
    experiment_id: ColumnElement[Any] = runs.c.experiment_id if kind is RUN else logged_models.c.experiment_id
    return select(experiment_id).distinct().where(experiment_id.in_(experiment_ids))


# What must stay

SELECT_VERSIONS: Final = select(
    model_versions.c.name,
    model_versions.c.version,
    model_versions.c.run_id,
    model_versions.c.source,
    model_versions.c.storage_location,
).where(model_versions.c.current_stage != DELETED_VERSION)
"""The live model versions, which an alias may point to as well, and what they point to."""


# Artifacts


def select_locations(kind: Kind) -> Select[str, Any, Any, Any]:
    """(id, stage, artifact location, location of the experiment) of `ids`, read before anything of them goes.

    The rows are locked: a restore that is under way comes to its end first, and a later one sees the claims. A logged
    model goes with its experiment whatever its own stage.
    """
    return _SELECT_RUNS if kind is RUN else _SELECT_MODELS


def select_again(kind: Kind) -> Select[str, Any]:
    """(id, stage) of the runs or models `ids`."""
    return _SELECT_RUNS_AGAIN if kind is RUN else _SELECT_MODELS_AGAIN


def lock_experiment(experiment_id: int) -> Select[str | None]:
    """Its stage."""
    stage = experiments.c.lifecycle_stage
    return (
        select(stage)
        .where(experiments.c.experiment_id == experiment_id)
        .with_for_update()
        .with_hint(experiments, LOCK_ON_SQL_SERVER, "mssql")
    )


_STAGE_OF_MODEL: Final[ColumnElement[Any]] = case(
    (experiments.c.lifecycle_stage == "deleted", "deleted"), else_=logged_models.c.lifecycle_stage
)


_SELECT_RUNS: Final = (
    select(runs.c.run_uuid, runs.c.lifecycle_stage, runs.c.artifact_uri, experiments.c.artifact_location)
    .select_from(runs.outerjoin(experiments, experiments.c.experiment_id == runs.c.experiment_id))
    .where(one_of(runs.c.run_uuid, "ids"))
    .with_for_update(of=runs)
    .with_hint(runs, LOCK_ON_SQL_SERVER, "mssql")
)
_SELECT_MODELS: Final = (
    select(
        logged_models.c.model_id,
        _STAGE_OF_MODEL,
        logged_models.c.artifact_location,
        experiments.c.artifact_location.label("experiment_location"),
    )
    .select_from(logged_models.outerjoin(experiments, experiments.c.experiment_id == logged_models.c.experiment_id))
    .where(one_of(logged_models.c.model_id, "ids"))
    .with_for_update(of=logged_models)
    .with_hint(logged_models, LOCK_ON_SQL_SERVER, "mssql")
)
_SELECT_RUNS_AGAIN: Final = select(runs.c.run_uuid, runs.c.lifecycle_stage).where(one_of(runs.c.run_uuid, "ids"))
_SELECT_MODELS_AGAIN: Final = (
    select(logged_models.c.model_id, _STAGE_OF_MODEL)
    .join(experiments, experiments.c.experiment_id == logged_models.c.experiment_id)
    .where(one_of(logged_models.c.model_id, "ids"))
)


def select_trace_locations(experiment_id: int, after: str, limit: int) -> Select[str, str | None, str | None]:
    """(trace, artifact location, location of the experiment) of a page of traces."""
    return (
        select(trace_info.c.request_id, trace_tags.c.value, experiments.c.artifact_location)
        .join(experiments, experiments.c.experiment_id == trace_info.c.experiment_id)
        .outerjoin(
            trace_tags, and_(trace_tags.c.request_id == trace_info.c.request_id, trace_tags.c.key == ARTIFACTS_OF_TRACE)
        )
        .where(trace_info.c.experiment_id == experiment_id, trace_info.c.request_id > after)
        .order_by(trace_info.c.request_id)
        .limit(limit)
    )


# Rows, in the order in which they go


def _delete_edges(edges: ColumnElement[bool]) -> Sequence[Delete]:
    return (
        delete(input_tags).where(input_tags.c.input_uuid.in_(select(inputs.c.input_uuid).where(edges))),
        delete(inputs).where(edges),
    )


def _delete_associations(entity: str) -> Sequence[Delete]:
    """Two statements, for an index each."""
    table: Any = entity_associations.c
    return (
        delete(entity_associations).where(table.source_type == entity, one_of(table.source_id, "ids")),
        delete(entity_associations).where(table.destination_type == entity, one_of(table.destination_id, "ids")),
    )


SELECT_DATASETS_OF_RUNS: Final = (
    select(inputs.c.source_id)
    .distinct()
    .where(
        inputs.c.source_type == "DATASET", inputs.c.destination_type == "RUN", one_of(inputs.c.destination_id, "ids")
    )
)
DELETE_RUNS: Final[Sequence[Delete]] = (
    *_delete_edges(
        or_(
            and_(inputs.c.destination_type == "RUN", one_of(inputs.c.destination_id, "ids")),
            and_(inputs.c.source_type.in_(("RUN_INPUT", "RUN_OUTPUT")), one_of(inputs.c.source_id, "ids")),
        )
    ),
    *_delete_associations("run"),
    *(delete(table).where(one_of(table.c.run_uuid, "ids")) for table in (metrics, latest_metrics, params, tags)),
    delete(logged_model_metrics).where(one_of(logged_model_metrics.c.run_id, "ids")),
    delete(runs).where(one_of(runs.c.run_uuid, "ids")),
)
"""Of `ids`, as all that follow. The last one deletes the runs."""
DELETE_LOGGED_MODELS: Final[Sequence[Delete]] = (
    *_delete_edges(
        and_(inputs.c.destination_type.in_(("MODEL_INPUT", "MODEL_OUTPUT")), one_of(inputs.c.destination_id, "ids"))
    ),
    *_delete_associations("model"),
    *(
        delete(table).where(one_of(table.c.model_id, "ids"))
        for table in (logged_model_metrics, logged_model_params, logged_model_tags)
    ),
    delete(logged_models).where(one_of(logged_models.c.model_id, "ids")),
)
"""The last one deletes the models."""
DELETE_ORPHANED: Final = delete(datasets).where(
    one_of(datasets.c.dataset_uuid, "ids"),
    ~exists().where(inputs.c.source_type == "DATASET", inputs.c.source_id == datasets.c.dataset_uuid),
)
"""Of these datasets, those that no run has read."""
DELETE_TRACES: Final[Sequence[Delete]] = (
    *_delete_associations("trace"),
    delete(spans).where(one_of(spans.c.trace_id, "ids")),
    delete(trace_info).where(one_of(trace_info.c.request_id, "ids")),
)
"""Tags, metadata, metrics and assessments of a trace go with its row, by the schema's cascades."""


def delete_experiment(experiment_id: int) -> Sequence[Delete]:
    """One without runs, logged models and traces, whose id as text is in `ids`. The last one deletes it."""
    return (
        *_delete_associations("experiment"),
        *(
            delete(table).where(table.c.experiment_id == experiment_id)
            for table in reversed(schema.metadata.sorted_tables)
            if table.name in OF_EXPERIMENTS
        ),
        delete(experiments).where(experiments.c.experiment_id == experiment_id),
    )


OF_EXPERIMENTS: Final = frozenset(
    {
        "datasets",
        "experiment_tags",
        "issues",
        "label_schemas",
        "online_scoring_configs",
        "review_queues",
        "scorers",
        "sql_assessment_daily_rollups",
        "sql_span_cost_daily_rollups",
        "sql_trace_metric_daily_rollups",
        "sql_trace_rollup_rebuild_queue",
    }
)
"""Tables whose rows belong to an experiment. What hangs on them goes by the schema's cascades."""

KEPT_OF_EXPERIMENTS: Final = frozenset({"endpoints"})
"""Tables that name an experiment and outlive it: the schema sets the name to NULL."""
