"""How many statements each call sends to the database: the table is the budget, on every engine, whatever the sizes.

Statements that begin and end transactions are not counted. A call that needs one more has to change the table.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest
from sqlalchemy import update

from tests.support.api_calls import Api
from tests.support.databases import counted_statements
from tests.support.registry import a_registered_model, a_version
from tracking_server.database import schema
from tracking_server.database.transactions import Database

MODEL_JSON: Final = json.dumps({"artifact_path": "a", "flavors": {}, "utc_time_created": "", "run_id": ""})
METRICS: Final = [{"key": f"m{number}", "value": 1, "timestamp": number} for number in range(50)]
PARAMS: Final = [{"key": f"p{number}", "value": "1"} for number in range(50)]
TAGS: Final = [{"key": f"t{number}", "value": "1"} for number in range(50)]
DATASETS: Final = [
    {"dataset": {"name": f"d{number}", "digest": "1"}, "tags": [{"key": "k", "value": "v"}]} for number in range(5)
]

EVENTS: Final = [{"entity": "REGISTERED_MODEL", "action": "CREATED"}, {"entity": "PROMPT", "action": "CREATED"}]

COUNTED: Final = {"sqlite": 2, "postgresql": 2, "mysql": 3}
"""MySQL and MariaDB do not tell how many rows of an insert are new, so params are read."""

BUDGET: Final[Sequence[tuple[str, str, Mapping[str, object], int | Mapping[str, int]]]] = [
    # method, path, fields: {experiment}, {run}, {model} and {webhook} stand for ones that exist; statements
    ("POST", "experiments/create", {"name": "new"}, {"sqlite": 3, "postgresql": 3, "mysql": 3}),
    ("POST", "experiments/create", {"name": "new", "artifact_location": "s3://b/p", "tags": TAGS}, 3),
    ("POST", "experiments/search", {"max_results": 100}, 2),
    ("GET", "experiments/get", {"experiment_id": "{experiment}"}, 2),
    ("GET", "experiments/get-by-name", {"experiment_name": "ours"}, 2),
    ("POST", "experiments/update", {"experiment_id": "{experiment}", "new_name": "new"}, 3),
    ("POST", "experiments/delete", {"experiment_id": "{experiment}"}, 3),
    ("POST", "experiments/set-experiment-tag", {"experiment_id": "{experiment}", "key": "k", "value": "v"}, 2),
    ("POST", "experiments/delete-experiment-tag", {"experiment_id": "{experiment}", "key": "there"}, 2),
    (
        "POST",
        "runs/create",
        {"experiment_id": "{experiment}", "tags": TAGS},
        {"sqlite": 3, "postgresql": 2, "mysql": 3},
    ),
    ("POST", "runs/update", {"run_id": "{run}", "status": "FINISHED"}, 2),
    ("POST", "runs/update", {"run_id": "{run}", "run_name": "new"}, 3),
    ("POST", "runs/delete", {"run_id": "{run}"}, 2),
    ("POST", "runs/restore", {"run_id": "{run}"}, {"sqlite": 2, "postgresql": 3, "mysql": 3}),  # it looks for claims
    ("GET", "runs/get", {"run_id": "{run}"}, 6),
    ("POST", "runs/search", {"experiment_ids": ["{experiment}"]}, 6),
    ("POST", "runs/search", {"experiment_ids": ["{experiment}"], "filter": "metrics.there > 5"}, 1),
    ("POST", "runs/search", {}, 0),
    ("POST", "runs/log-metric", {"run_id": "{run}", **METRICS[0]}, {"sqlite": 3, "postgresql": 1, "mysql": 3}),
    (
        "POST",
        "runs/log-metric",
        {"run_id": "{run}", **METRICS[0], "model_id": "{model}"},
        {"sqlite": 4, "postgresql": 3, "mysql": 4},
    ),
    ("POST", "runs/log-parameter", {"run_id": "{run}", "key": "k", "value": "v"}, COUNTED),
    ("POST", "runs/log-parameter", {"run_id": "{run}", "key": "there", "value": "1"}, 3),
    ("POST", "runs/set-tag", {"run_id": "{run}", "key": "k", "value": "v"}, 2),
    ("POST", "runs/set-tag", {"run_id": "{run}", "key": "mlflow.runName", "value": "v"}, 3),
    ("POST", "runs/delete-tag", {"run_id": "{run}", "key": "there"}, 2),
    ("POST", "runs/log-batch", {"run_id": "{run}"}, 1),
    ("POST", "runs/log-batch", {"run_id": "{run}", "metrics": METRICS}, {"sqlite": 3, "postgresql": 1, "mysql": 3}),
    (
        "POST",
        "runs/log-batch",
        {"run_id": "{run}", "metrics": METRICS, "params": PARAMS, "tags": TAGS},
        {"sqlite": 5, "postgresql": 4, "mysql": 6},
    ),
    ("POST", "runs/log-model", {"run_id": "{run}", "model_json": MODEL_JSON}, 3),
    ("POST", "runs/log-inputs", {"run_id": "{run}", "datasets": DATASETS, "models": [{"model_id": "m-1"}]}, 7),
    ("POST", "runs/log-inputs", {"run_id": "{run}", "datasets": [{"dataset": {"name": "x"}}]}, 4),
    ("POST", "runs/outputs", {"run_id": "{run}", "models": [{"model_id": "m-1"}, {"model_id": "m-2"}]}, 2),
    ("GET", "metrics/get-history", {"run_id": "{run}", "metric_key": "there"}, 1),
    ("GET", "metrics/get-history", {"run_id": "{run}", "metric_key": "there", "max_results": "1"}, 1),
    ("GET", "metrics/get-history-bulk-interval", {"run_ids": ["{run}", "x"], "metric_key": "there"}, 1),
    ("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", {"run_id": ["{run}", "x"], "metric_key": "there"}, 1),
    ("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": ["{experiment}"]}, 1),
    ("POST", "logged-models", {"experiment_id": "{experiment}", "params": PARAMS, "tags": TAGS}, 4),
    ("POST", "logged-models/search", {"experiment_ids": ["{experiment}"]}, 4),
    ("PATCH", "logged-models/{model}", {"model_id": "{model}", "status": 2}, 5),
    ("GET", "logged-models/{model}", {}, 4),
    ("DELETE", "logged-models/{model}", {}, 1),
    ("PATCH", "logged-models/{model}/tags", {"tags": TAGS}, 2),
    ("DELETE", "logged-models/{model}/tags/there", {}, 2),
    ("POST", "logged-models/{model}/params", {"model_id": "{model}", "params": PARAMS}, 2),
    # the registry; each change asks who listens
    ("POST", "registered-models/create", {"name": "new", "tags": TAGS}, 4),
    ("POST", "registered-models/rename", {"name": "registered", "new_name": "new"}, 9),
    ("PATCH", "registered-models/update", {"name": "registered", "description": "d"}, 6),
    ("DELETE", "registered-models/delete", {"name": "registered"}, 6),
    ("GET", "registered-models/get", {"name": "registered"}, 5),
    ("GET", "registered-models/search", {"filter": "tags.there = '1'"}, 5),
    ("GET", "registered-models/search", {"filter": "name = 'nothing'"}, 1),
    ("POST", "registered-models/get-latest-versions", {"name": "registered"}, 4),
    ("POST", "registered-models/set-tag", {"name": "registered", "key": "k", "value": "v"}, 3),
    ("DELETE", "registered-models/delete-tag", {"name": "registered", "key": "there"}, 3),
    ("POST", "registered-models/alias", {"name": "registered", "alias": "a", "version": "1"}, 4),
    ("DELETE", "registered-models/alias", {"name": "registered", "alias": "there"}, 3),
    ("GET", "registered-models/alias", {"name": "registered", "alias": "there"}, 5),
    ("GET", "registered-models/alias", {"name": "registered", "alias": "latest"}, 5),
    ("POST", "model-versions/create", {"name": "registered", "source": "s3://b/p"}, 4),
    ("POST", "model-versions/create", {"name": "registered", "source": "s3://b/p", "run_id": "{run}", "tags": TAGS}, 6),
    ("POST", "model-versions/create", {"name": "registered", "source": "runs:/{run}/m", "run_id": "{run}"}, 5),
    ("POST", "model-versions/create", {"name": "registered", "source": "models:/{model}", "model_id": "{model}"}, 7),
    ("POST", "model-versions/create", {"name": "registered", "source": "models:/registered@there"}, 8),
    ("PATCH", "model-versions/update", {"name": "registered", "version": "1"}, 4),
    ("POST", "model-versions/transition-stage", {"name": "registered", "version": "1", "stage": "Staging"}, 5),
    (
        "POST",
        "model-versions/transition-stage",
        {"name": "registered", "version": "1", "stage": "Staging", "archive_existing_versions": True},
        6,
    ),
    ("DELETE", "model-versions/delete", {"name": "registered", "version": "1"}, 3),
    ("GET", "model-versions/get", {"name": "registered", "version": "1"}, 3),
    ("GET", "model-versions/search", {"filter": "name LIKE '%'"}, 2),
    ("GET", "model-versions/search", {"filter": "name = 'nothing'"}, 1),
    ("GET", "model-versions/get-download-uri", {"name": "registered", "version": "1"}, 1),
    ("POST", "model-versions/set-tag", {"name": "registered", "version": "1", "key": "k", "value": "v"}, 3),
    ("DELETE", "model-versions/delete-tag", {"name": "registered", "version": "1", "key": "there"}, 3),
    ("POST", "webhooks", {"name": "new", "url": "https://8.8.8.8/", "events": EVENTS}, 2),
    ("GET", "webhooks", {}, 2),
    ("GET", "webhooks/{webhook}", {}, 2),
    ("PATCH", "webhooks/{webhook}", {"name": "new"}, 3),
    ("PATCH", "webhooks/{webhook}", {"events": EVENTS}, 5),
    ("POST", "webhooks/{webhook}/test", {}, 3),
    ("DELETE", "webhooks/{webhook}", {}, 2),
]


@pytest.mark.parametrize(
    ("method", "path", "fields", "budget"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{number}") for number, row in enumerate(BUDGET)],
)
def test_a_call_sends_as_many_statements_as_its_budget_has(
    api: Api,
    database: Database,
    method: str,
    path: str,
    fields: Mapping[str, object],
    budget: int | Mapping[str, int],
) -> None:
    there = _fill(api)
    arguments = _with(fields, there)
    with counted_statements(database) as statements:
        if method == "GET":
            api.get(_with(path, there), **arguments)
        else:
            api.call(method, _with(path, there), body=arguments)
    allowed = budget if isinstance(budget, int) else budget[database.dialect]
    assert len(statements) == allowed, "\n".join(statements)


def _fill(api: Api) -> dict[str, str]:
    """Ids of things that exist, of more than one run."""
    experiment = api.post("experiments/create", name="ours", tags=[{"key": "there", "value": "1"}])["experiment_id"]
    runs = [api.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"] for _ in range(3)]
    for run in runs:
        api.post(
            "runs/log-batch",
            run_id=run,
            metrics=[{"key": "there", "value": 1, "timestamp": time} for time in range(3)],
            params=[{"key": "there", "value": "1"}],
            tags=[{"key": "there", "value": "1"}],
        )
    model = api.post("logged-models", experiment_id=experiment, tags=[{"key": "there", "value": "1"}])["model"]
    for name in ("registered", "another"):
        a_registered_model(api, name, tags=[{"key": "there", "value": "1"}])
        for number in range(1, 4):
            a_version(api, name, run_id=runs[1], tags=[{"key": "there", "value": "1"}])
            stage = "Production" if number == 1 else "None"
            api.post("model-versions/transition-stage", name=name, version=str(number), stage=stage)
        api.post("registered-models/alias", name=name, alias="there", version="2")
    webhook = api.post("webhooks", name="there", url="https://8.8.8.8/", events=EVENTS[1:])["webhook"]["webhook_id"]
    with api.context.database.write() as connection:  # so that a trial reaches nobody
        connection.execute(update(schema.webhooks).values(url="nowhere:"))
    return {"experiment": experiment, "run": runs[0], "model": model["info"]["model_id"], "webhook": webhook}


def _with(value: object, there: Mapping[str, str]) -> Any:
    """`{experiment}`, `{run}`, `{model}` and `{webhook}` filled in."""
    text = json.dumps(value)
    for name, found in there.items():
        text = text.replace(f"{{{name}}}", found)
    return json.loads(text)
