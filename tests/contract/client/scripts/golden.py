"""Print what the client reads of experiments, runs and logged models, in the shape of `tests/data/mlflow-*.json`."""

import json
import math
import sys
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, LoggedModel, Metric, Run, ViewType


def number(value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def of_experiment(experiment: Experiment) -> dict[str, Any]:
    return {
        "experiment_id": experiment.experiment_id,
        "name": experiment.name,
        "lifecycle_stage": experiment.lifecycle_stage,
        "artifact_location": experiment.artifact_location,
        "tags": experiment.tags,
        "creation_time": experiment.creation_time,
        "last_update_time": experiment.last_update_time,
    }


def of_run(client: MlflowClient, run: Run) -> dict[str, Any]:
    info, data = run.info, run.data
    result = {
        "run_id": info.run_id,
        "run_name": info.run_name,
        "experiment_id": info.experiment_id,
        "status": info.status,
        "lifecycle_stage": info.lifecycle_stage,
        "start_time": info.start_time,
        "end_time": info.end_time,
        "user_id": info.user_id,
        "artifact_uri": info.artifact_uri,
        "params": data.params,
        "tags": data.tags,
        "latest_metrics": {key: number(value) for key, value in data.metrics.items()},
        "metric_history": {key: history(client, info.run_id, key) for key in data.metrics},
        "dataset_inputs": [
            {**dict(found.dataset), "tags": {tag.key: tag.value for tag in found.tags}}
            for found in run.inputs.dataset_inputs
        ],
    }
    models = {
        "model_inputs": [found.model_id for found in run.inputs.model_inputs],
        "model_outputs": [[found.model_id, found.step] for found in run.outputs.model_outputs],
    }
    return result | {name: found for name, found in models.items() if found}


def history(client: MlflowClient, run_id: str, key: str) -> list[Any]:
    return [[point.step, point.timestamp, number(point.value)] for point in client.get_metric_history(run_id, key)]


def of_model(model: LoggedModel) -> dict[str, Any]:
    return {
        "model_id": model.model_id,
        "name": model.name,
        "experiment_id": model.experiment_id,
        "status": model.status.value,
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "artifact_location": model.artifact_location,
        "tags": model.tags,
        "params": model.params,
        "creation_timestamp": model.creation_timestamp,
        "last_updated_timestamp": model.last_updated_timestamp,
        "metrics": sorted((of_point(point) for point in model.metrics or []), key=str),
    }


def of_point(point: Metric) -> list[Any]:
    identity = [point.dataset_name, point.dataset_digest, point.run_id]
    return [point.key, point.step, point.timestamp, number(point.value), *identity]


def main(tracking_uri: str) -> None:
    client = MlflowClient(tracking_uri)
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [experiment.experiment_id for experiment in experiments]
    runs = client.search_runs(ids, run_view_type=ViewType.ALL)
    models = client.search_logged_models(ids)
    print(
        json.dumps(
            {
                "experiments": {experiment.experiment_id: of_experiment(experiment) for experiment in experiments},
                "runs": {run.info.run_id: of_run(client, client.get_run(run.info.run_id)) for run in runs},
                "logged_models": {model.model_id: of_model(model) for model in models},
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
