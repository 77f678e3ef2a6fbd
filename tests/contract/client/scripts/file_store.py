"""Print all that the client reads of a server or of an mlruns folder, in the form of tests/data/mlruns-2.9.2.json."""

import json
import sys
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType


def experiment(found: Experiment) -> dict[str, Any]:
    names = ("experiment_id", "name", "lifecycle_stage", "artifact_location", "creation_time", "last_update_time")
    return {**{name: getattr(found, name) for name in names}, "tags": dict(found.tags)}


def run(client: MlflowClient, found: Run) -> dict[str, Any]:
    info, data = found.info, found.data
    names = ("run_id", "run_name", "experiment_id", "status", "lifecycle_stage", "start_time", "end_time", "user_id")
    return {
        **{name: getattr(info, name) for name in names},
        "artifact_uri": info.artifact_uri,
        "params": dict(data.params),
        "tags": dict(data.tags),
        "latest_metrics": dict(data.metrics),
        "metric_history": {
            key: sorted(
                [point.step, point.timestamp, point.value] for point in client.get_metric_history(info.run_id, key)
            )
            for key in data.metrics
        },
        "dataset_inputs": sorted(
            (
                {
                    **{name: getattr(each.dataset, name) for name in ("name", "digest", "source_type")},
                    **{name: getattr(each.dataset, name) for name in ("source", "schema", "profile")},
                    "tags": {tag.key: tag.value for tag in each.tags},
                }
                for each in found.inputs.dataset_inputs
            ),
            key=lambda each: each["name"],
        ),
    }


def registered(client: MlflowClient, found: Any) -> dict[str, Any]:
    versions = client.search_model_versions(f"name = '{found.name}'")
    names = ("current_stage", "source", "run_id", "status", "description", "creation_timestamp")
    return {
        **{name: getattr(found, name) for name in ("name", "description", "creation_timestamp")},
        "last_updated_timestamp": found.last_updated_timestamp,
        "tags": dict(found.tags),
        "aliases": {alias: str(version) for alias, version in found.aliases.items()},
        "versions": [
            {
                **{name: getattr(version, name) for name in names},
                "version": str(version.version),
                "last_updated_timestamp": version.last_updated_timestamp,
                "tags": dict(version.tags),
                "download_uri": client.get_model_version_download_uri(found.name, version.version),
            }
            for version in sorted(versions, key=lambda version: int(version.version))
        ],
    }


def main(tracking_uri: str) -> None:
    client = MlflowClient(tracking_uri, tracking_uri)
    experiments = client.search_experiments(view_type=ViewType.ALL)
    ids = [found.experiment_id for found in experiments]
    runs = client.search_runs(ids, run_view_type=ViewType.ALL, max_results=1000)
    print(
        json.dumps(
            {
                "experiments": sorted(map(experiment, experiments), key=lambda each: each["experiment_id"]),
                "runs": sorted((run(client, found) for found in runs), key=lambda each: each["run_id"]),
                "registered_models": sorted(
                    (registered(client, found) for found in client.search_registered_models()),
                    key=lambda each: each["name"],
                ),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
