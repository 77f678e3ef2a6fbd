"""Rows of many runs at once into the tables, and the reading of what is there already. Pure.

A row whose key exists is left as it is; only the latest point of a metric gives way to a newer one.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, bindparam, func, select, update

from tracking_server.database import schema
from tracking_server.database.statements.bulk_insert import BulkInsert
from tracking_server.database.statements.lists import one_of
from tracking_server.filestore import rows


class Texts(NamedTuple):
    """Keys and values of one table. `add` leaves a key that is there; `replace` gives it the new value."""

    noun: str
    add: BulkInsert
    replace: BulkInsert


def _texts(noun: str, columns: Sequence[Column[Any]], same: Sequence[Column[Any]] = ()) -> Texts:
    """The last column is the value."""
    return Texts(noun, BulkInsert(columns, same=same), BulkInsert(columns, same=same, replace=columns[-1:]))


_experiment_tags = schema.experiment_tags.c
EXPERIMENT_TAGS: Final = _texts(
    "experiment_tags", [_experiment_tags.experiment_id, _experiment_tags.key, _experiment_tags.value]
)
RUNS: Final = BulkInsert([schema.runs.c[name] for name in rows.Run._fields])
PARAMS: Final = BulkInsert([schema.params.c.run_uuid, schema.params.c.key, schema.params.c.value])
TAGS: Final = BulkInsert([schema.tags.c.run_uuid, schema.tags.c.key, schema.tags.c.value])
_POINT: Final = ("run_uuid", "key", "timestamp", "step", "value", "is_nan")
POINTS: Final = BulkInsert([schema.metrics.c[name] for name in _POINT])
_latest = schema.latest_metrics.c
LATEST: Final = BulkInsert(
    [_latest[name] for name in _POINT],
    replace=[_latest.timestamp, _latest.step, _latest.value, _latest.is_nan],
    newer_by=[_latest.step, _latest.timestamp, _latest.value],
)
DATASETS: Final = BulkInsert([schema.datasets.c[name] for name in rows.Dataset._fields])
EDGES: Final = BulkInsert([schema.inputs.c[name] for name in rows.Edge._fields])
INPUT_TAGS: Final = BulkInsert([schema.input_tags.c.input_uuid, schema.input_tags.c.name, schema.input_tags.c.value])
MODELS: Final = BulkInsert([schema.logged_models.c[name] for name in rows.LoggedModel._fields])
_model_params = schema.logged_model_params.c
MODEL_PARAMS: Final = BulkInsert(
    [_model_params.model_id, _model_params.experiment_id, _model_params.param_key, _model_params.param_value]
)
_model_tags = schema.logged_model_tags.c
MODEL_TAGS: Final = _texts(
    "logged_model_tags",
    [_model_tags.model_id, _model_tags.experiment_id, _model_tags.tag_key, _model_tags.tag_value],
)
MODEL_POINTS: Final = BulkInsert([schema.logged_model_metrics.c[name] for name in rows.ModelPoint._fields])
REGISTERED: Final = BulkInsert(
    [schema.registered_models.c[name] for name in rows.RegisteredModel._fields],
    same=[schema.registered_models.c.workspace],
)
_registered_tags = schema.registered_model_tags.c
REGISTERED_TAGS: Final = _texts(
    "registered_model_tags",
    [_registered_tags.name, _registered_tags.key, _registered_tags.value],
    [_registered_tags.workspace],
)
_aliases = schema.registered_model_aliases.c
ALIASES: Final = _texts(
    "registered_model_aliases", [_aliases.name, _aliases.alias, _aliases.version], [_aliases.workspace]
)
VERSIONS: Final = BulkInsert(
    [schema.model_versions.c[name] for name in rows.ModelVersion._fields], same=[schema.model_versions.c.workspace]
)
_version_tags = schema.model_version_tags.c
VERSION_TAGS: Final = _texts(
    "model_version_tags",
    [_version_tags.name, _version_tags.version, _version_tags.key, _version_tags.value],
    [_version_tags.workspace],
)
TRACES: Final = BulkInsert([schema.trace_info.c[name] for name in rows.Trace._fields])
_trace_tags, _trace_metadata = schema.trace_tags.c, schema.trace_request_metadata.c
TRACE_TAGS: Final = _texts("trace_tags", [_trace_tags.request_id, _trace_tags.key, _trace_tags.value])
TRACE_METADATA: Final = _texts(
    "trace_metadata", [_trace_metadata.request_id, _trace_metadata.key, _trace_metadata.value]
)
_assessments = [schema.assessments.c[name] for name in rows.Assessment._fields]
ASSESSMENTS: Final = Texts("assessments", BulkInsert(_assessments), BulkInsert(_assessments, replace=_assessments[2:]))

SELECT_EXPERIMENTS: Final = select(
    schema.experiments.c.experiment_id,
    schema.experiments.c.name,
    schema.experiments.c.creation_time,
    schema.experiments.c.artifact_location,
)
SELECT_KNOWN_RUNS: Final = select(
    *(schema.runs.c[name] for name in ("run_uuid", "name", "status", "lifecycle_stage", "start_time", "end_time"))
).where(one_of(schema.runs.c.run_uuid, "run_ids"))
SELECT_RUN_IDS: Final = select(schema.runs.c.run_uuid).where(one_of(schema.runs.c.run_uuid, "run_ids"))
SELECT_DATASETS: Final = select(schema.datasets.c.dataset_uuid, schema.datasets.c.name, schema.datasets.c.digest).where(
    schema.datasets.c.experiment_id == bindparam("experiment_id"), one_of(schema.datasets.c.digest, "digests")
)
SELECT_MODEL_IDS: Final = select(schema.logged_models.c.model_id).where(
    one_of(schema.logged_models.c.model_id, "model_ids")
)
SELECT_REGISTERED: Final = select(schema.registered_models.c.creation_time).where(
    schema.registered_models.c.name == bindparam("name")
)
SELECT_VERSIONS: Final = select(
    schema.model_versions.c.version, schema.model_versions.c.source, schema.model_versions.c.current_stage
).where(schema.model_versions.c.name == bindparam("name"))
SELECT_REGISTERED_TAGS: Final = select(_registered_tags.key, _registered_tags.value).where(
    _registered_tags.name == bindparam("name")
)
SELECT_ALIASES: Final = select(_aliases.alias, _aliases.version).where(_aliases.name == bindparam("name"))
SELECT_VERSION_TAGS: Final = select(_version_tags.version, _version_tags.key, _version_tags.value).where(
    _version_tags.name == bindparam("name")
)
_trace = schema.trace_info.c
SELECT_KNOWN_TRACES: Final = select(
    _trace.request_id, _trace.experiment_id, _trace.timestamp_ms, _trace.execution_time_ms, _trace.status
).where(one_of(_trace.request_id, "trace_ids"))
SELECT_TRACE_TAGS: Final = select(_trace_tags.request_id, _trace_tags.key, _trace_tags.value).where(
    one_of(_trace_tags.request_id, "trace_ids")
)
SELECT_TRACE_METADATA: Final = select(_trace_metadata.request_id, _trace_metadata.key, _trace_metadata.value).where(
    one_of(_trace_metadata.request_id, "trace_ids")
)
SELECT_ASSESSMENTS: Final = select(*_assessments).where(one_of(schema.assessments.c.trace_id, "trace_ids"))
END_TRACE: Final = (
    update(schema.trace_info)
    .where(_trace.request_id == bindparam("of_trace"), _trace.status == "IN_PROGRESS")
    .values({name: bindparam(f"new_{name}") for name in rows.Trace._fields[3:]})
)
END_RUN: Final = (
    update(schema.runs)
    .where(schema.runs.c.run_uuid == bindparam("of_run"), schema.runs.c.status.in_(("RUNNING", "SCHEDULED")))
    .values(status=bindparam("new_status"), end_time=bindparam("new_end_time"))
)
_SEQUENCE: Final = "experiments_experiment_id_seq"
FOLLOW_IDS: Final = select(func.setval(_SEQUENCE, func.max(schema.experiments.c.experiment_id))).having(
    func.max(schema.experiments.c.experiment_id)
    > select(func.coalesce(func.pg_sequence_last_value(_SEQUENCE), 0)).scalar_subquery()
)
"""On PostgreSQL, whose sequence does not see ids that are given. A maximum of 0 is not above that of a new sequence."""
