"""Experiments, runs, and what is logged to them."""

import json
from typing import Any, Final

from tests.support.parity.answers import Json
from tests.support.parity.calls import AJAX, PREFIX, Call, get, named, post
from tests.support.parity.drawing import (
    BAD_METRIC_VALUES,
    BAD_STEPS,
    BAD_TIMESTAMPS,
    METRIC_VALUES,
    NOBODY,
    STEPS,
    TEXTS,
    TIMESTAMPS,
    Draw,
    Known,
    Operation,
    a_coin,
    a_key,
    a_known,
    a_value,
    chance,
    mangled,
    mostly,
    one_of,
    pairs,
    some_of,
)
from tests.support.parity.filters import a_run_filter, an_experiment_filter, experiment_order, run_order

LOCATIONS: Final = ("", "", "s3://bucket/path", "/tmp/parity", "gs://bucket/a?query=1", "mlflow-artifacts:/elsewhere")
SERVED: Final = ("/", "mlflow-artifacts:")
"""Locations whose files both servers can look for without the network start so. `/tmp/parity` never has any."""
BAD_LOCATIONS: Final = (
    "s3://bucket/a#b",
    "runs:/abc/x",
    "http://elsewhere/x",
    "sftp://u@h/p",
    "s3://b/a?x=../y",
    "mlflow-artifacts://h/x",
    "s3://b/a?x=%2e%2e/y",
    "s3://b/" + "x" * 2042,
    "s3://b/" + "x" * 2041,
    "abfss://c@h/p",
    "hdfs://h/p",
    "ftp://h/p",
)
STATUSES: Final = ("RUNNING", "FINISHED", "FAILED", "KILLED", "SCHEDULED", 1, 3, "3", "UNKNOWN")
VIEWS: Final = ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", 1, 2, 3, "3", "NONSENSE")


def an_experiment(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "experiment", "987654321"))


def a_run(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "run"))


def create_experiment(draw: Draw, known: Known) -> Call:
    number = known.next_number()
    fresh = f"{PREFIX}exp {one_of(draw, ('alpha', 'Beta', 'g_mma', 'däta', 'it%s'))} {number}"
    name: str = fresh
    if known.of("experiment name") and chance(draw, 8):
        name = one_of(draw, known.of("experiment name"))
    elif chance(draw, 30):
        name = fresh + "x" * (one_of(draw, (500, 501)) - len(fresh))
    body: dict[str, Json] = {"name": name}
    if chance(draw, 4):
        body["artifact_location"] = mostly(draw, LOCATIONS, BAD_LOCATIONS, 3)
    if chance(draw, 3):
        body["tags"] = pairs(draw)
    symbol = f"experiment{number}"
    makes = [("experiment", named(symbol)), ("experiment name", name)]
    if str(body.get("artifact_location", "")).startswith(SERVED) or not body.get("artifact_location"):
        makes.append(("served experiment", named(symbol)))
    return post("experiments/create", mangled(draw, body), keep={symbol: "experiment_id"}, makes=makes)


def get_experiment(draw: Draw, known: Known) -> Call:
    experiment = (
        an_experiment(draw, known) if not chance(draw, 15) else one_of(draw, ("x", "", "1.0", "-1", " 0", "9" * 30))
    )
    return get("experiments/get", ("experiment_id", experiment))


def get_experiment_by_name(draw: Draw, known: Known) -> Call:
    return get(
        "experiments/get-by-name", ("experiment_name", str(a_known(draw, known, "experiment name", "nothing", 10)))
    )


def update_experiment(draw: Draw, known: Known) -> Call:
    new = f"{PREFIX}renamed {known.next_number()}"
    if chance(draw, 6):
        new = str(a_known(draw, known, "experiment name", "", 3))
    body = {"experiment_id": an_experiment(draw, known), "new_name": new}
    return post("experiments/update", mangled(draw, body))


def delete_experiment(draw: Draw, known: Known) -> Call:
    return post("experiments/delete", mangled(draw, {"experiment_id": an_experiment(draw, known)}))


def restore_experiment(draw: Draw, known: Known) -> Call:
    return post("experiments/restore", mangled(draw, {"experiment_id": an_experiment(draw, known)}))


def set_experiment_tag(draw: Draw, known: Known) -> Call:
    body = {"experiment_id": an_experiment(draw, known), "key": a_key(draw), "value": a_value(draw)}
    return post("experiments/set-experiment-tag", mangled(draw, body))


def delete_experiment_tag(draw: Draw, known: Known) -> Call:
    body = {"experiment_id": an_experiment(draw, known), "key": a_key(draw)}
    return post("experiments/delete-experiment-tag", mangled(draw, body))


def search_experiments(draw: Draw, known: Known) -> Call:
    """Others are left out by the start of their names."""
    body: dict[str, Json] = {"max_results": mostly(draw, (1, 2, 3, 10, 1000, "5"), (0, -1, 50_001, "x", 2**31), 20)}
    order = experiment_order(draw)
    if order:
        body["order_by"] = list(order)
    body |= some_of(draw, view_type=lambda: one_of(draw, VIEWS))
    body = {**mangled(draw, body), "filter": an_experiment_filter(draw, known)}
    if chance(draw, 4) and not isinstance(body.get("order_by"), dict):
        return get("experiments/search", *_query(body))
    return post("experiments/search", body)


def create_run(draw: Draw, known: Known) -> Call:
    number = known.next_number()
    name = f"{one_of(draw, ('fast', 'slow', 'Fast', 'f_st', 'läuf'))} {one_of(draw, (1, 2))}"
    body: dict[str, Json] = {
        "experiment_id": an_experiment(draw, known),
        "start_time": one_of(draw, (1000 + number, str(1000 + number))),
        "run_name": name,
    }
    body |= some_of(draw, user_id=lambda: one_of(draw, TEXTS))
    if chance(draw, 3):
        body["tags"] = [tag for tag in pairs(draw) if len(set(_keys(pairs=[tag]))) == 1]
    if chance(draw, 10):
        body["tags"] = [{"key": "mlflow.runName", "value": one_of(draw, (name, "another", ""))}]
        if a_coin(draw):
            del body["run_name"]
    symbol = f"run{number}"
    return post(
        "runs/create", mangled(draw, body, 40), keep={symbol: "run.info.run_id"}, makes=[("run", named(symbol))]
    )


def _keys(pairs: list[Any]) -> list[str]:
    return [pair["key"] for pair in pairs]


def get_run(draw: Draw, known: Known) -> Call:
    return get("runs/get", (one_of(draw, ("run_id", "run_id", "run_uuid")), a_run(draw, known)))


def update_run(draw: Draw, known: Known) -> Call:
    body: dict[str, Json] = {"run_id": a_run(draw, known)}
    body |= some_of(
        draw,
        status=lambda: mostly(draw, STATUSES, (0, 6, "0", -1)),
        end_time=lambda: one_of(draw, (0, 1, 2000, 3000, "4000", -5)),
        run_name=lambda: one_of(draw, ("renamed", "fast 1", "", "n" * 250)),
    )
    return post("runs/update", mangled(draw, body))


def delete_run(draw: Draw, known: Known) -> Call:
    return post("runs/delete", mangled(draw, {"run_id": a_run(draw, known)}))


def restore_run(draw: Draw, known: Known) -> Call:
    return post("runs/restore", mangled(draw, {"run_id": a_run(draw, known)}))


def _a_metric(draw: Draw, known: Known, one_in: int = 25) -> dict[str, Any]:
    metric: dict[str, Any] = {
        "key": a_key(draw),
        "value": mostly(draw, METRIC_VALUES, BAD_METRIC_VALUES, one_in),
        "timestamp": mostly(draw, TIMESTAMPS, BAD_TIMESTAMPS, one_in),
    }
    metric |= some_of(draw, step=lambda: mostly(draw, STEPS, BAD_STEPS, one_in))
    if chance(draw, 8):
        metric |= {"dataset_name": one_of(draw, ("d1", "d2", "")), "dataset_digest": one_of(draw, ("1", "2", ""))}
    if known.of("model") and chance(draw, 6):
        metric["model_id"] = a_known(draw, known, "model", "m-" + NOBODY, 15)
    return metric


def log_metric(draw: Draw, known: Known) -> Call:
    run_id = one_of(draw, ("run_id", "run_id", "run_id", "run_uuid"))
    body = {run_id: a_run(draw, known)} | _a_metric(draw, known)
    return post("runs/log-metric", mangled(draw, body))


def log_parameter(draw: Draw, known: Known) -> Call:
    body = {"run_id": a_run(draw, known), "key": a_key(draw), "value": a_value(draw)}
    return post("runs/log-parameter", mangled(draw, body))


def set_tag(draw: Draw, known: Known) -> Call:
    key = "mlflow.runName" if chance(draw, 8) else a_key(draw)
    return post("runs/set-tag", mangled(draw, {"run_id": a_run(draw, known), "key": key, "value": a_value(draw)}))


def delete_tag(draw: Draw, known: Known) -> Call:
    return post("runs/delete-tag", mangled(draw, {"run_id": a_run(draw, known), "key": a_key(draw)}))


def log_batch(draw: Draw, known: Known) -> Call:
    """Valid on the whole: one wrong thing refuses all of it."""
    body: dict[str, Json] = {"run_id": a_run(draw, known)}
    body |= some_of(
        draw,
        metrics=lambda: [_a_metric(draw, known, 60) for _ in range(draw.randint(0, 6))],
        params=lambda: pairs(draw, 4),
        tags=lambda: pairs(draw, 4),
    )
    if chance(draw, 25):
        count = one_of(draw, (100, 101))
        body[one_of(draw, ("params", "tags"))] = [{"key": f"many{n}", "value": "1"} for n in range(count)]
    if chance(draw, 40):
        count = one_of(draw, (1000, 1001, 950))
        body["metrics"] = [{"key": "many", "value": n % 7, "timestamp": n, "step": n % 5} for n in range(count)]
    return post("runs/log-batch", mangled(draw, body))


def log_model(draw: Draw, known: Known) -> Call:
    model: dict[str, Json] = {
        "artifact_path": one_of(draw, ("model", "other")),
        "flavors": {"python_function": {"loader_module": "x"}},
        "utc_time_created": "2020-01-01 00:00:00",
        "run_id": "r",
    }
    text = json.dumps(mangled(draw, model, 6))
    if chance(draw, 12):
        text = one_of(draw, ("not json", "[]", "7", '"x"', "{}", '{"artifact_path": "a", "pad": "' + "x" * 8000 + '"}'))
    return post("runs/log-model", mangled(draw, {"run_id": a_run(draw, known), "model_json": text}))


def search_runs(draw: Draw, known: Known) -> Call:
    experiments = [an_experiment(draw, known) for _ in range(draw.randint(1, 3))]
    body: dict[str, Json] = {"experiment_ids": list(experiments)}
    body |= some_of(draw, filter=lambda: a_run_filter(draw, known), order_by=lambda: run_order(draw))
    body |= some_of(draw, run_view_type=lambda: one_of(draw, VIEWS))
    if chance(draw, 2):
        body["max_results"] = mostly(draw, (1, 2, 3, 50, "4"), (0, -1, 50_001, "x", 1.5), 20)
    return post("runs/search", mangled(draw, body, 30))


def get_history(draw: Draw, known: Known) -> Call:
    query = [(one_of(draw, ("run_id", "run_id", "run_uuid")), a_run(draw, known)), ("metric_key", a_key(draw))]
    if chance(draw, 2):
        query.append(("max_results", mostly(draw, ("1", "2", "3", "100"), ("0", "-1", "x", ""), 10)))
    return get("metrics/get-history", *query)


def get_history_bulk(draw: Draw, known: Known) -> Call:
    query = [("run_id", a_run(draw, known)) for _ in range(draw.randint(0, 3))]
    query.append(("metric_key", a_key(draw)))
    if chance(draw, 3):
        query.append(("max_results", one_of(draw, ("1", "2", "3", "100", "30000"))))
    return get("metrics/get-history-bulk", *query, base=AJAX)


def get_history_bulk_interval(draw: Draw, known: Known) -> Call:
    query = [("run_ids", a_run(draw, known)) for _ in range(draw.randint(0, 3))]
    query.append(("metric_key", a_key(draw)))
    if chance(draw, 2):
        query.append(("max_results", mostly(draw, ("1", "2", "3", "5", "2500"), ("0", "2501", "-1", "x"), 10)))
    if chance(draw, 2):
        query.append(("start_step", one_of(draw, ("0", "1", "-1"))))
    if chance(draw, 2):
        query.append(("end_step", one_of(draw, ("0", "2", "3", "100", "-2"))))
    return get("metrics/get-history-bulk-interval", *query)


def _query(body: dict[str, Json]) -> list[tuple[str, str]]:
    query: list[tuple[str, str]] = []
    for key, value in body.items():
        values = value if isinstance(value, list) else [value]
        query += [(key, str(each)) for each in values if each is not None]
    return query


OPERATIONS: Final = (
    Operation(draw=create_experiment, weight=4),
    Operation(draw=get_experiment, needs=["experiment"]),
    Operation(draw=get_experiment_by_name, needs=["experiment"]),
    Operation(draw=update_experiment, needs=["experiment"]),
    Operation(draw=delete_experiment, needs=["experiment"], weight=2),
    Operation(draw=restore_experiment, needs=["experiment"], weight=2),
    Operation(draw=set_experiment_tag, needs=["experiment"], weight=3),
    Operation(draw=delete_experiment_tag, needs=["experiment"]),
    Operation(draw=search_experiments, needs=["experiment"], weight=5),
    Operation(draw=create_run, needs=["experiment"], weight=6),
    Operation(draw=get_run, needs=["run"], weight=3),
    Operation(draw=update_run, needs=["run"], weight=3),
    Operation(draw=delete_run, needs=["run"], weight=2),
    Operation(draw=restore_run, needs=["run"], weight=2),
    Operation(draw=log_metric, needs=["run"], weight=6),
    Operation(draw=log_parameter, needs=["run"], weight=4),
    Operation(draw=set_tag, needs=["run"], weight=4),
    Operation(draw=delete_tag, needs=["run"], weight=2),
    Operation(draw=log_batch, needs=["run"], weight=7),
    Operation(draw=log_model, needs=["run"]),
    Operation(draw=search_runs, needs=["run"], weight=8),
    Operation(draw=get_history, needs=["run"], weight=2),
    Operation(draw=get_history_bulk, needs=["run"]),
    Operation(draw=get_history_bulk_interval, needs=["run"], weight=2),
)
