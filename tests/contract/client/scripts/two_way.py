"""MLflow and a server of ours in turn on one database: `two_way.py DATABASE SERVER`.

Each writes all that it can, then each changes what either wrote. Prints what was written, and what both read then.
"""

import json
import sys
from typing import TYPE_CHECKING, Any

import mlflow
from mlflow import MlflowClient

if TYPE_CHECKING:
    from tests.contract.client.scripts.read_all import all_of, read
    from tests.contract.client.scripts.release_writer import write
else:  # its neighbours, found at run time
    from read_all import all_of, read
    from release_writer import write


def change(uri: str, name: str) -> None:
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    for experiment in all_of(client.search_experiments):
        client.set_experiment_tag(experiment.experiment_id, "changed", name)
        for run in client.search_runs([experiment.experiment_id], max_results=3):
            for value in (0.5, float("nan"), 9.0):
                client.log_metric(run.info.run_id, "tied", value, timestamp=7, step=7)
            client.set_tag(run.info.run_id, "again", name)
            client.log_param(run.info.run_id, f"by {name}", name)
            client.delete_run(run.info.run_id)
            client.restore_run(run.info.run_id)
        for model in all_of(client.search_logged_models, experiment_ids=[experiment.experiment_id]):
            client.set_logged_model_tags(model.model_id, {"changed": name})
    for model in all_of(client.search_registered_models):
        client.update_registered_model(model.name, description=f"changed by {name}")
        client.create_model_version(model.name, f"s3://bucket/models/{name}")
    for version in all_of(client.search_model_versions):
        client.set_model_version_tag(version.name, version.version, "changed", name)
        client.set_registered_model_alias(version.name, f"{name}{version.version}", version.version)


def main(database: str, server: str) -> None:
    written: dict[str, Any] = {name: write(uri, name) for name, uri in (("ours", server), ("theirs", database))}
    change(database, "theirs")
    change(server, "ours")
    print(json.dumps({"written": written, "read": [read(database), read(server)]}, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
