"""Rows to entities; pure.

Child rows (tags, params, metrics, ...) arrive for a whole page at once and are grouped by their owner. They are plain
tuples in the order of the columns of their statement. A metric may be not a number without the mark for it: MLflow 1.0
kept such a value on PostgreSQL as it was.
"""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any, TypeAlias

from tracking_server.database.statements import inputs as input_statements
from tracking_server.entities.datasets import Dataset, DatasetInput, ModelInput, ModelOutput
from tracking_server.entities.experiments import Experiment
from tracking_server.entities.logged_models import LoggedModel, LoggedModelData, LoggedModelInfo, LoggedModelStatus
from tracking_server.entities.metrics import Metric, MetricOfRun
from tracking_server.entities.runs import RunInfo, RunStatus
from tracking_server.entities.tags import RUN_NAME_TAG, Param, Tag

Row: TypeAlias = Sequence[Any]
Rows: TypeAlias = Iterable[Row]

_NUMBERED_MODEL_STATUS: tuple[LoggedModelStatus, ...] = tuple(LoggedModelStatus)


def tags_by_owner(rows: Rows) -> dict[Any, list[Tag]]:
    """(owner, key, value)"""
    owners: dict[Any, list[Tag]] = {}
    for owner, key, value in rows:
        owned = owners.get(owner)
        if owned is None:
            owned = owners[owner] = []
        owned.append(Tag(key, value or ""))
    return owners


def params_by_owner(rows: Rows) -> dict[Any, list[Param]]:
    """(owner, key, value)"""
    owners: dict[Any, list[Param]] = {}
    for owner, key, value in rows:
        owned = owners.get(owner)
        if owned is None:
            owned = owners[owner] = []
        owned.append(Param(key, value))
    return owners


def latest_metrics_by_run(rows: Rows) -> dict[Any, list[Metric]]:
    """(run, key, value, timestamp, step, is_nan)"""
    owners: dict[Any, list[Metric]] = {}
    for run_id, key, value, timestamp, step, is_nan in rows:
        owned = owners.get(run_id)
        if owned is None:
            owned = owners[run_id] = []
        owned.append(Metric(key, "NaN" if is_nan or isnan(value) else value, timestamp, step))
    return owners


def metric_history(rows: Rows) -> list[Metric]:
    """(key, value, timestamp, step, is_nan)"""
    return [
        Metric(key, "NaN" if is_nan or isnan(value) else value, timestamp, step)
        for key, value, timestamp, step, is_nan in rows
    ]


def metrics_of_runs(rows: Rows) -> list[MetricOfRun]:
    """(key, value, timestamp, step, is_nan, run)"""
    return [
        MetricOfRun(key, "NaN" if is_nan or isnan(value) else value, timestamp, step, run_id)
        for key, value, timestamp, step, is_nan, run_id in rows
    ]


def experiment(row: Row, tags: Sequence[Tag] = ()) -> Experiment:
    experiment_id, name, location, stage, last_update_time, creation_time, workspace = row
    return Experiment(
        experiment_id=str(experiment_id),
        name=name,
        artifact_location=location,
        lifecycle_stage=stage,
        last_update_time=last_update_time,
        creation_time=creation_time,
        tags=tags,
        workspace=workspace,
    )


def run_info(row: Row, tags: Sequence[Tag] = ()) -> RunInfo:
    """Runs made by MLflow before 1.30 have their name in a tag only."""
    run_id, name, experiment_id, user_id, status, start_time, end_time, artifact_uri, stage = row
    return RunInfo(
        run_id=run_id,
        run_uuid=run_id,
        run_name=name or next((tag.value for tag in tags if tag.key == RUN_NAME_TAG), None),
        experiment_id=str(experiment_id),
        user_id=user_id,
        status=RunStatus(status),
        start_time=start_time,
        end_time=end_time or None,
        artifact_uri=artifact_uri,
        lifecycle_stage=stage,
    )


def dataset_inputs_by_run(rows: Rows) -> dict[Any, list[DatasetInput]]:
    """(run, edge, name, digest, source type, source, schema, profile, tag key, tag value): a row for each tag."""
    edges: dict[str, tuple[Any, Dataset, list[Tag]]] = {}
    for run_id, edge_id, name, digest, source_type, source, schema, profile, tag_key, tag_value in rows:
        if edge_id not in edges:
            dataset = Dataset(
                name=name,
                digest=digest,
                source_type=source_type,
                source=source,
                schema=schema or None,
                profile=profile or None,
            )
            edges[edge_id] = (run_id, dataset, [])
        if tag_key is not None:
            edges[edge_id][2].append(Tag(tag_key, tag_value))
    owners: dict[Any, list[DatasetInput]] = {}
    for run_id, dataset, tags in edges.values():
        owners.setdefault(run_id, []).append(DatasetInput(dataset=dataset, tags=tuple(tags)))
    return owners


def model_inputs_by_run(rows: Rows) -> dict[Any, list[ModelInput]]:
    """(edge type, run, model, step)"""
    owners: dict[Any, list[ModelInput]] = {}
    for edge_type, run_id, model_id, _ in rows:
        if edge_type == input_statements.RUN_INPUT:
            owners.setdefault(run_id, []).append(ModelInput(model_id))
    return owners


def model_outputs_by_run(rows: Rows) -> dict[Any, list[ModelOutput]]:
    """(edge type, run, model, step)"""
    owners: dict[Any, list[ModelOutput]] = {}
    for edge_type, run_id, model_id, step in rows:
        if edge_type == input_statements.RUN_OUTPUT:
            owners.setdefault(run_id, []).append(ModelOutput(model_id, step))
    return owners


def model_metrics_by_model(rows: Rows) -> dict[Any, list[Metric]]:
    """(model, key, value, timestamp, step, dataset name, dataset digest, run)"""
    owners: dict[Any, list[Metric]] = {}
    for model_id, key, value, timestamp, step, dataset_name, dataset_digest, run_id in rows:
        metric = Metric(key, value, timestamp, step, dataset_name, dataset_digest, model_id, run_id)
        owners.setdefault(model_id, []).append(metric)
    return owners


def logged_model(
    row: Row, tags: Sequence[Tag] = (), params: Sequence[Param] = (), metrics: Sequence[Metric] = ()
) -> LoggedModel:
    model_id, experiment_id, name, location, created, updated, status, _, model_type, source_run_id, message = row
    return LoggedModel(
        info=LoggedModelInfo(
            model_id=model_id,
            experiment_id=str(experiment_id),
            name=name,
            creation_timestamp_ms=created,
            last_updated_timestamp_ms=updated,
            artifact_uri=location,
            status=_NUMBERED_MODEL_STATUS[int(status)],
            model_type=model_type,
            source_run_id=source_run_id,
            status_message=message,
            tags=tags,
        ),
        data=LoggedModelData(params=params, metrics=metrics),
    )
