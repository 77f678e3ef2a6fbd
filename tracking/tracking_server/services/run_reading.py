"""Runs as they are read: a run that must exist, one that must be active, and what a page of runs holds."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row

from tracking_server.database import rows
from tracking_server.database.fetching import fetch_rows
from tracking_server.database.statements import inputs, metrics, params, runs, tags
from tracking_server.entities.datasets import RunInputs, RunOutputs
from tracking_server.entities.lifecycle import LifecycleStage
from tracking_server.entities.runs import Run, RunData
from tracking_server.errors import DoesNotExist, InvalidParameter


def no_run(run_id: str) -> DoesNotExist:
    return DoesNotExist(f"Run with id={run_id} not found")


def refuse_inactive(run_id: str, stage: str | None) -> None:
    if stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(f"The run {run_id} must be in the 'active' state. Current state is {stage}.")


def require_active_run(connection: Connection, run_id: str) -> int:
    """The experiment of the run."""
    return experiment_of_active_run(run_id, connection.execute(runs.SELECT_STAGE, {"run_id": run_id}).one_or_none())


def experiment_of_active_run(run_id: str, row: Row[*tuple[Any, ...]] | None) -> int:
    """`row`: that of `statements.runs.SELECT_STAGE`."""
    if row is None:
        raise no_run(run_id)
    refuse_inactive(run_id, row.lifecycle_stage)
    return int(row.experiment_id or 0)


def fetch_run_row(connection: Connection, run_id: str) -> Row[*tuple[Any, ...]]:
    row = connection.execute(runs.SELECT, {"run_id": run_id}).one_or_none()
    if row is None:
        raise no_run(run_id)
    return row


def fetch_runs(connection: Connection, found: Sequence[Sequence[Any]], *, with_model_inputs: bool) -> list[Run]:
    """The runs of these rows (`statements.runs.COLUMNS`), with one statement for each kind of child.

    `with_model_inputs`: a search leaves them out, as MLflow's server does.
    """
    if not found:
        return []
    of_runs = {"run_ids": [row[0] for row in found]}
    all_tags = rows.tags_by_owner(fetch_rows(connection, tags.SELECT_OF_RUNS, of_runs))
    all_params = rows.params_by_owner(fetch_rows(connection, params.SELECT_OF_RUNS, of_runs))
    all_metrics = rows.latest_metrics_by_run(fetch_rows(connection, metrics.SELECT_LATEST_OF_RUNS, of_runs))
    all_datasets = rows.dataset_inputs_by_run(fetch_rows(connection, inputs.SELECT_DATASETS_OF_RUNS, of_runs))
    edge_types = [inputs.RUN_INPUT, inputs.RUN_OUTPUT] if with_model_inputs else [inputs.RUN_OUTPUT]
    models = fetch_rows(connection, inputs.SELECT_MODELS_OF_RUNS, {**of_runs, "edge_types": edge_types})
    inputs_of, outputs_of = rows.model_inputs_by_run(models), rows.model_outputs_by_run(models)
    return [
        Run(
            info=rows.run_info(row, all_tags.get(row[0], ())),
            data=RunData(
                metrics=all_metrics.get(row[0], ()),
                params=all_params.get(row[0], ()),
                tags=all_tags.get(row[0], ()),
            ),
            inputs=RunInputs(
                dataset_inputs=all_datasets.get(row[0], ()),
                model_inputs=inputs_of.get(row[0], ()),
            ),
            outputs=RunOutputs(model_outputs=outputs_of.get(row[0], ())),
        )
        for row in found
    ]
