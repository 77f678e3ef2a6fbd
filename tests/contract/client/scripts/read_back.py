"""Print all that the client can read of one run: by id, by search, its experiment, files, history and models."""

import json
import sys
from typing import Any

import mlflow
from mlflow import MlflowClient


def files(client: MlflowClient, run_id: str, path: str = "") -> list[dict[str, Any]]:
    found = []
    for file in client.list_artifacts(run_id, path):
        found.append({"path": file.path, "is_dir": file.is_dir})
        if file.is_dir:
            found.extend(files(client, run_id, file.path))
    return found


def main(tracking_uri: str, run_id: str) -> None:
    mlflow.set_tracking_uri(tracking_uri)
    client = MlflowClient()
    run = client.get_run(run_id)
    experiment = client.get_experiment(run.info.experiment_id)
    searched = client.search_runs([experiment.experiment_id], filter_string=f"run_id = '{run_id}'")
    models = client.search_logged_models([experiment.experiment_id], filter_string=f"source_run_id = '{run_id}'")
    frame = mlflow.search_runs([experiment.experiment_id])
    print(
        json.dumps(
            {
                "run": run.to_dictionary(),
                "searched": [found.to_dictionary() for found in searched],
                "experiment": dict(experiment),
                "by name": dict(client.get_experiment_by_name(experiment.name)),
                "experiments": [found.name for found in client.search_experiments()],
                "files": files(client, run_id),
                "history": [dict(point) for point in client.get_metric_history(run_id, "r2_score")],
                "models": [model.to_dictionary() for model in models],
                "columns": sorted(frame.columns),
            },
            default=dict,
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
