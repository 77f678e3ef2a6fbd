"""Print all that the client reads at each of these addresses: `read_all.py ADDRESS...`, of a database or a server.

One JSON object for each: experiments, runs, logged models and the registry. Traces are not among them: a server of ours
does not serve them.
"""

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    from tests.contract.client.scripts.golden import of_experiment, of_model, of_run
else:  # its neighbour, found at run time
    from golden import of_experiment, of_model, of_run


def all_of(search: Any, **options: Any) -> list[Any]:
    found, token = [], None
    while True:
        page = search(page_token=token, **options)
        found.extend(page)
        token = page.token
        if not token:
            return found


def of_registered_model(model: Any) -> dict[str, Any]:
    return {
        "name": model.name,
        "description": model.description or None,
        "tags": model.tags,
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "times": [model.creation_timestamp, model.last_updated_timestamp],
        "latest": sorted([version.current_stage, str(version.version)] for version in model.latest_versions),
    }


def of_version(client: MlflowClient, version: Any) -> dict[str, Any]:
    try:
        location = client.get_model_version_download_uri(version.name, version.version)
    except MlflowException as error:
        location = re.sub(r"^[A-Z_]+: ", "", str(error))  # a server says its code before it
    found = {**dict(version), "aliases": sorted(version.aliases), "version": str(version.version), "location": location}
    return {name: None if value == "" else value for name, value in found.items()}  # a message has no None


def of_sorted_run(client: MlflowClient, run: Any) -> dict[str, Any]:
    """MLflow asks its database for the datasets in no order."""
    found = of_run(client, run)
    return {**found, "dataset_inputs": sorted(found["dataset_inputs"], key=lambda each: str(each["name"]))}


def read(uri: str) -> dict[str, Any]:
    client = MlflowClient(uri)
    experiments = all_of(client.search_experiments, view_type=ViewType.ALL)
    ids = [experiment.experiment_id for experiment in experiments]
    runs = [run for identity in ids for run in all_of(client.search_runs, experiment_ids=[identity], run_view_type=3)]
    models = [model for identity in ids for model in all_of(client.search_logged_models, experiment_ids=[identity])]
    registered = all_of(client.search_registered_models)
    versions = all_of(client.search_model_versions)
    return {
        "experiments": {each.experiment_id: of_experiment(each) for each in experiments},
        "runs": {run.info.run_id: of_sorted_run(client, client.get_run(run.info.run_id)) for run in runs},
        "logged_models": {model.model_id: of_model(model) for model in models},
        "registered_models": {model.name: of_registered_model(model) for model in registered},
        "model_versions": {f"{each.name}/{each.version}": of_version(client, each) for each in versions},
    }


if __name__ == "__main__":
    print(json.dumps([read(uri) for uri in sys.argv[1:]], default=str))
