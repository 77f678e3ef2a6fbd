"""Datasets, inputs and outputs of runs, and logged models."""

from typing import Any, Final

from tests.support.parity.answers import Json
from tests.support.parity.calls import AJAX, Call, get, named, post, send
from tests.support.parity.drawing import (
    KEYS,
    NOBODY,
    Draw,
    Known,
    Operation,
    a_coin,
    a_known,
    chance,
    mangled,
    mostly,
    one_of,
    pairs,
    some_of,
)
from tests.support.parity.tracking_calls import a_run, an_experiment

NAMES: Final = ("forest", "Forest", "tree", "f_rest", "wald größe")
BAD_NAMES: Final = ("a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "")
MODEL_STATUSES: Final = ("LOGGED_MODEL_READY", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_UPLOAD_FAILED", 2, "2")
_TEXTUAL: Final = ("=", "!=", "LIKE", "ILIKE")
_NUMERIC: Final = ("=", "!=", ">", ">=", "<", "<=")
_NOT_MODEL_FILTERS: Final = (
    "nonsense = 'x'",
    "attribute.name = 'x'",
    "metric.a > 1",
    "params.a > 'x'",
    "metrics.a = 'x'",
    "name",
    "name > 'x'",
    "(name = 'x')",
    "name = 'x' AND",
    "metrics.a LIKE '1'",
    "tags.a > '1'",
    "creation_timestamp_ms = 'x'",
    "name IS NULL",
)


def a_model(draw: Draw, known: Known) -> str:
    return str(a_known(draw, known, "model", "m-" + NOBODY))


def a_dataset(draw: Draw) -> dict[str, Json]:
    dataset: dict[str, Json] = {
        "name": mostly(draw, ("d1", "d2", "größe"), ("", "n" * 500, "n" * 501), 20),
        "digest": mostly(draw, ("1", "2"), ("", "9" * 36, "9" * 37), 20),
        "source_type": one_of(draw, ("local", "code")),
        "source": one_of(draw, ("s", "{}", "x" * 65_535)),
    }
    dataset |= some_of(draw, schema=lambda: one_of(draw, ("{}", "")), profile=lambda: one_of(draw, ("{}", "")))
    return dataset


def log_inputs(draw: Draw, known: Known) -> Call:
    body: dict[str, Json] = {"run_id": a_run(draw, known)}
    contexts = ("train", "test", "c" * 500, "c" * 501)
    body["datasets"] = [
        {
            "dataset": mangled(draw, a_dataset(draw), 40),
            "tags": [{"key": "mlflow.data.context", "value": one_of(draw, contexts)} for _ in range(chance(draw, 2))],
        }
        for _ in range(draw.randint(0, 2))
    ]
    if known.of("model") and a_coin(draw):
        body["models"] = [{"model_id": a_model(draw, known)} for _ in range(draw.randint(0, 2))]
    return post("runs/log-inputs", mangled(draw, body))


def log_outputs(draw: Draw, known: Known) -> Call:
    models: list[Json] = [
        {"model_id": a_model(draw, known)} | some_of(draw, step=lambda: one_of(draw, (0, 1, "2")))
        for _ in range(draw.randint(0, 2))
    ]
    return post("runs/outputs", mangled(draw, {"run_id": a_run(draw, known), "models": models}))


def search_datasets(draw: Draw, known: Known) -> Call:
    experiments = [an_experiment(draw, known) for _ in range(draw.randint(0, 3))]
    if chance(draw, 20):
        experiments = [experiments[0] if experiments else "1"] * one_of(draw, (20, 21))
    return Call(
        endpoint="POST experiments/search-datasets",
        method="POST",
        path=f"{AJAX}/experiments/search-datasets",
        body=mangled(draw, {"experiment_ids": list(experiments)}),
    )


def create_model(draw: Draw, known: Known) -> Call:
    symbol = f"model{known.next_number()}"
    body: dict[str, Json] = {
        "experiment_id": an_experiment(draw, known),
        "name": mostly(draw, NAMES, BAD_NAMES[:-1], 15),
    }
    body |= some_of(
        draw,
        model_type=lambda: one_of(draw, ("", "t", "T")),
        source_run_id=lambda: a_known(draw, known, "run"),
        params=lambda: pairs(draw),
        tags=lambda: pairs(draw),
    )
    makes = [("model", named(symbol))]
    if body["experiment_id"] in known.of("served experiment"):
        makes.append(("served model", named(symbol)))
    return post("logged-models", mangled(draw, body), keep={symbol: "model.info.model_id"}, makes=makes)


def get_model(draw: Draw, known: Known) -> Call:
    query = [("allow_deleted", one_of(draw, ("true", "false", "True", "x")))] if chance(draw, 3) else []
    return get(f"logged-models/{a_model(draw, known)}", *query)


def finalize_model(draw: Draw, known: Known) -> Call:
    model = a_model(draw, known)
    body = {"model_id": model, "status": mostly(draw, MODEL_STATUSES, ("NONSENSE", 0, 9), 15)}
    return send("PATCH", f"logged-models/{model}", mangled(draw, body, 10))


def delete_model(draw: Draw, known: Known) -> Call:
    return send("DELETE", f"logged-models/{a_model(draw, known)}", {})


def set_model_tags(draw: Draw, known: Known) -> Call:
    model = a_model(draw, known)
    return send("PATCH", f"logged-models/{model}/tags", {**mangled(draw, {"tags": pairs(draw)}), "model_id": model})


def delete_model_tag(draw: Draw, known: Known) -> Call:
    key = one_of(draw, [key for key in KEYS if "/" not in key])
    model = a_model(draw, known)
    call = send("DELETE", f"logged-models/{model}/tags/{key}", {"model_id": model, "tag_key": key})
    return _at_endpoint(call, "DELETE logged-models/{id}/tags/{key}")


def log_model_params(draw: Draw, known: Known) -> Call:
    model = a_model(draw, known)
    return send("POST", f"logged-models/{model}/params", mangled(draw, {"model_id": model, "params": pairs(draw, 2)}))


def search_models(draw: Draw, known: Known) -> Call:
    body: dict[str, Json] = {"experiment_ids": [an_experiment(draw, known) for _ in range(draw.randint(1, 2))]}
    body |= some_of(draw, filter=lambda: a_model_filter(draw, known), order_by=lambda: model_order(draw))
    if chance(draw, 2):
        body["max_results"] = mostly(draw, (1, 2, 3, 50, "4"), (0, "x"), 20)
    if chance(draw, 8):
        body["datasets"] = [{"dataset_name": one_of(draw, ("d1", "d2")), "dataset_digest": one_of(draw, ("1", "2"))}]
    return post("logged-models/search", mangled(draw, body, 30))


def a_model_filter(draw: Draw, known: Known) -> str:
    if chance(draw, 12):
        return one_of(draw, _NOT_MODEL_FILTERS)
    return " AND ".join(_model_comparison(draw, known) for _ in range(draw.randint(1, 3)))


def _model_comparison(draw: Draw, known: Known) -> str:
    text = one_of(draw, ("forest", "f%", "t", "T", "%", "v", "1", "größe", "f_rest"))
    prefix = one_of(draw, ("", "attributes."))
    match draw.randint(0, 4):
        case 0:
            left = prefix + one_of(draw, ("name", "model_type", "lifecycle_stage"))
            if a_coin(draw):
                return f"{left} {one_of(draw, ('IN', 'NOT IN'))} ('forest', 't')"
            return f"{left} {one_of(draw, _TEXTUAL)} '{text}'"
        case 1:
            return f"metrics.{_key(draw)} {one_of(draw, _NUMERIC)} {one_of(draw, ('0', '0.5', '1', '-1'))}"
        case 2:
            return f"{one_of(draw, ('params', 'tags'))}.{_key(draw)} {one_of(draw, _TEXTUAL)} '{text}'"
        case 3:
            left = prefix + one_of(draw, ("creation_timestamp_ms", "last_updated_timestamp_ms"))
            return f"{left} {one_of(draw, _NUMERIC)} {one_of(draw, ('0', '4000000000000'))}"
        case _:
            left = prefix + one_of(draw, ("model_id", "source_run_id"))
            value = a_known(draw, known, one_of(draw, ("model", "run")))
            return f"{left} {one_of(draw, ('=', '!='))} '{value}'"


def _key(draw: Draw) -> str:
    key = one_of(draw, KEYS)
    return key if key.isascii() and key.isalpha() else f"`{key}`"


def model_order(draw: Draw) -> list[Json]:
    names = (
        "name",
        "model_type",
        "creation_timestamp",
        "last_updated_timestamp",
        "status",
        "metrics.a",
        "metrics.loss",
    )
    chosen = draw.sample(names, draw.randint(0, 2))
    order: list[Json] = []
    for name in chosen:
        item: dict[str, Any] = {"field_name": name} | some_of(draw, ascending=lambda: one_of(draw, (True, False)))
        order.append(item)
    return order


def _at_endpoint(call: Call, endpoint: str) -> Call:
    return Call(endpoint=endpoint, method=call.method, path=call.path, body=call.body)


OPERATIONS: Final = (
    Operation(draw=log_inputs, needs=["run"], weight=4),
    Operation(draw=log_outputs, needs=["run"], weight=2),
    Operation(draw=search_datasets, needs=["run"], weight=2),
    Operation(draw=create_model, needs=["experiment"], weight=4),
    Operation(draw=get_model, needs=["model"], weight=2),
    Operation(draw=finalize_model, needs=["model"], weight=2),
    Operation(draw=delete_model, needs=["model"]),
    Operation(draw=set_model_tags, needs=["model"], weight=2),
    Operation(draw=delete_model_tag, needs=["model"]),
    Operation(draw=log_model_params, needs=["model"], weight=2),
    Operation(draw=search_models, needs=["model"], weight=4),
)
