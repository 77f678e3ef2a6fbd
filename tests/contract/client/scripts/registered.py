"""The example, checked, and its model through the registry: registered, given an alias and a tag, found, loaded, and
taken away."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient

NAME = "gateway-line"


def main(url: str, example: Path) -> dict[str, Any]:
    sys.path.insert(0, str(example.parent))
    train_model: Any = import_module(example.stem)

    mlflow.set_tracking_uri(url)
    client = MlflowClient()
    data = train_model.make_data(200, 10.0)
    run_id = train_model.log(data, 10.0)
    train_model.check(run_id, data, 10.0)
    (output,) = client.get_run(run_id).outputs.model_outputs
    version = mlflow.register_model(f"models:/{output.model_id}", NAME)
    client.set_registered_model_alias(NAME, "best", version.version)
    client.set_model_version_tag(NAME, version.version, "checked", "yes")
    loaded = mlflow.sklearn.load_model(f"models:/{NAME}@best")
    predicted, expected = (model.predict(data[["feature"]]) for model in (loaded, train_model.train(data)[0]))
    told = {
        "run_id": run_id,
        "aliases": list(client.get_model_version_by_alias(NAME, "best").aliases),
        "tags": client.get_model_version(NAME, "1").tags,
        "found": [each.name for each in client.search_registered_models("name LIKE 'gateway-%'")],
        "versions": len(client.search_model_versions(f"name = '{NAME}'")),
        "predicts": bool(abs(predicted - expected).max() < 1e-9),
    }
    client.delete_registered_model(NAME)
    try:
        client.get_registered_model(NAME)
    except mlflow.MlflowException as error:
        told["gone"] = error.error_code
    return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
