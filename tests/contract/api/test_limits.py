"""Section 3 of the contract as a table: what is just within a limit is taken, what is beyond it refused by name."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.api_calls import Api, Refusal, an_api
from tracking_server.database.transactions import Database

Fields = Mapping[str, Any]


_TOO_LONG = (
    "Invalid value .* for parameter '{place}' supplied: '{noun}' exceeds the maximum length of {most} characters:"
    " it has {beyond}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """`fields(n)`: those of a request with n characters, or items, in the place that has the limit."""

    call: str
    place: str
    most: int
    fields: Callable[[int], Fields]
    told: str = _TOO_LONG
    width: int | None = None
    """Of a column that is narrower, where its engine minds."""
    noun: str = ""
    """What the value is called, where that is not its place."""

    @property
    def id(self) -> str:
        return f"{self.call} {self.place}"


def text(count: int) -> str:
    return "ä" * count  # characters count, and not bytes


def dataset(**fields: str) -> Fields:
    known = {"name": "n", "digest": "d", "source_type": "local", "source": "s", **fields}
    return {"datasets": [{"dataset": known, "tags": []}]}


def dataset_tag(**fields: str) -> Fields:
    known = {"name": "n", "digest": "d", "source_type": "local", "source": "s"}
    return {"datasets": [{"dataset": known, "tags": [{"key": "k", "value": "v", **fields}]}]}


def metric(**fields: object) -> Fields:
    return {"key": "k", "value": 1, "timestamp": 1, **fields}


LENGTHS = [
    Limit(call="experiments/create", place="name", most=500, fields=lambda n: {"name": text(n)}, width=256),
    Limit(
        call="experiments/create",
        place="artifact_location",
        most=2048,
        fields=lambda n: {"name": "n", "artifact_location": "/" + "a" * (n - 1)},
        told=".*2048",
        width=256,
    ),
    Limit(
        call="experiments/create",
        place="tags[1].key",
        most=250,
        fields=lambda n: {"name": "n", "tags": [{"key": "a", "value": ""}, {"key": text(n), "value": ""}]},
    ),
    Limit(
        call="experiments/create",
        place="tags[0].value",
        most=20_000,
        fields=lambda n: {"name": "n", "tags": [{"key": "a", "value": text(n)}]},
    ),
    Limit(call="experiments/update", place="new_name", most=500, fields=lambda n: {"new_name": text(n)}, width=256),
    Limit(call="experiments/set-experiment-tag", place="key", most=250, fields=lambda n: {"key": text(n), "value": ""}),
    Limit(
        call="experiments/set-experiment-tag",
        place="value",
        most=20_000,
        fields=lambda n: {"key": "k", "value": text(n)},
    ),
    Limit(call="runs/log-metric", place="name", noun="Metric name", most=250, fields=lambda n: metric(key=text(n))),
    Limit(
        call="runs/log-parameter",
        place="key",
        noun="Param key",
        most=250,
        fields=lambda n: {"key": text(n), "value": ""},
    ),
    Limit(call="runs/set-tag", place="key", most=250, fields=lambda n: {"key": text(n), "value": ""}),
    Limit(
        call="runs/log-batch",
        place="metrics[1].name",
        noun="Metric name",
        most=250,
        fields=lambda n: {"metrics": [metric(), metric(key=text(n))]},
    ),
    Limit(
        call="runs/log-batch",
        place="params[1].key",
        noun="Param key",
        most=250,
        fields=lambda n: {"params": [{"key": "a", "value": ""}, {"key": text(n), "value": ""}]},
    ),
    Limit(
        call="runs/log-batch",
        place="tags[1].key",
        most=250,
        fields=lambda n: {"tags": [{"key": "a", "value": ""}, {"key": text(n), "value": ""}]},
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].dataset.name",
        noun="name",
        most=500,
        fields=lambda n: dataset(name=text(n)),
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].dataset.digest",
        noun="digest",
        most=36,
        fields=lambda n: dataset(digest=text(n)),
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].dataset.source",
        noun="source",
        most=65_535,
        fields=lambda n: dataset(source="s" * n),
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].dataset.schema",
        noun="schema",
        most=1_048_575,
        fields=lambda n: dataset(schema="s" * n),
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].tags[0].key",
        noun="key",
        most=255,
        fields=lambda n: dataset_tag(key=text(n)),
    ),
    Limit(
        call="runs/log-inputs",
        place="datasets[0].tags[0].value",
        noun="value",
        most=500,
        fields=lambda n: dataset_tag(value=text(n)),
    ),
]
_SPLIT = "A batch logging request can contain at most {most} {place}. Got {beyond} {place}"
COUNTS = [
    Limit(
        call="runs/log-batch",
        place="metrics",
        most=1000,
        fields=lambda n: {"metrics": [metric(step=step) for step in range(n)]},
        told=_SPLIT,
    ),
    Limit(
        call="runs/log-batch",
        place="params",
        most=100,
        fields=lambda n: {"params": [{"key": f"k{number}", "value": ""} for number in range(n)]},
        told=_SPLIT,
    ),
    Limit(
        call="runs/log-batch",
        place="tags",
        most=100,
        fields=lambda n: {"tags": [{"key": f"k{number}", "value": ""} for number in range(n)]},
        told=_SPLIT,
    ),
    Limit(
        call="runs/log-batch",
        place="metrics, params, and tags",
        most=1000,
        fields=lambda n: {
            "metrics": [metric(step=step) for step in range(n - 1)],
            "params": [{"key": "p", "value": ""}],
        },
        told=_SPLIT,
    ),
    Limit(
        call="experiments/search",
        place="max_results",
        most=50_000,
        fields=lambda n: {"max_results": n},
        told=".*{place}.*{most}.*{beyond}|.*{beyond}.*{place}.*{most}",
    ),
    Limit(
        call="runs/search",
        place="max_results",
        most=50_000,
        fields=lambda n: {"max_results": n, "experiment_ids": ["0"]},
        told=".*{place}.*{most}.*{beyond}|.*{beyond}.*{place}.*{most}",
    ),
    Limit(
        call="/ajax-api/2.0/mlflow/experiments/search-datasets",
        place="experiment_ids",
        most=20,
        fields=lambda n: {"experiment_ids": [str(number) for number in range(n)]},
        told=".*{most}",
    ),
    Limit(
        call="logged-models/search",
        place="datasets",
        most=100,
        fields=lambda n: {"experiment_ids": ["0"], "datasets": [{"dataset_name": f"d{number}"} for number in range(n)]},
        told=".*{place}.*{most}.*{beyond}",
    ),
]
CUT = [
    Limit(call="runs/log-parameter", place="value", most=6000, fields=lambda n: {"key": "k", "value": text(n)}),
    Limit(call="runs/set-tag", place="value", most=8000, fields=lambda n: {"key": "k", "value": text(n)}),
    Limit(
        call="runs/log-batch",
        place="params[0].value",
        most=6000,
        fields=lambda n: {"params": [{"key": "k", "value": text(n)}]},
    ),
    Limit(
        call="runs/log-batch",
        place="tags[0].value",
        most=8000,
        fields=lambda n: {"tags": [{"key": "k", "value": text(n)}]},
    ),
]
WIDTHS = [
    Limit(call="experiments/create", place="name", most=256, fields=lambda n: {"name": text(n)}),
    Limit(call="runs/create", place="run_name", most=250, fields=lambda n: {"run_name": text(n)}),
    Limit(call="runs/update", place="run_name", most=250, fields=lambda n: {"run_name": text(n)}),
]
"""Of columns: engines that mind them refuse, and SQLite does not mind."""


def cases(limits: list[Limit]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("limit", [pytest.param(limit, id=limit.id) for limit in limits])


_ABOUT_AN_EXPERIMENT = ("experiments/update", "experiments/set-experiment-tag", "runs/create")


def send(api: Api, limit: Limit, count: int, run: str) -> None:
    fields = limit.fields(count)
    if limit.call in _ABOUT_AN_EXPERIMENT:
        experiment = api.get("runs/get", run_id=run)["run"]["info"]["experiment_id"]
        api.post(limit.call, experiment_id=experiment, **fields)
    elif limit.call.startswith("runs/") and limit.call != "runs/search":
        api.post(limit.call, run_id=run, **fields)
    else:
        api.post(limit.call, **fields)


def refusal(api: Api, limit: Limit, run: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        send(api, limit, limit.most + 1, run)
    return refused.value


def told(limit: Limit) -> str:
    return limit.told.format(
        place=re.escape(limit.place),
        noun=re.escape(limit.noun or limit.place),
        most=limit.most,
        beyond=limit.most + 1,
    )


@cases(LENGTHS + COUNTS)
def test_a_limit_is_where_it_is_said_to_be(api: Api, run: str, limit: Limit, engine_name: str) -> None:
    refused = refusal(api, limit, run)
    assert (refused.http_status, refused.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert re.match(told(limit), refused.message), refused.message
    width = limit.most if engine_name == "sqlite" or limit.width is None else limit.width
    send(api, limit, width, run)


@cases(CUT)
def test_a_long_value_is_cut_off_or_refused_as_the_setting_says(database: Database, limit: Limit) -> None:
    strict, lenient = an_api(database, truncate_long_values=False), an_api(database)
    experiment = lenient.post("experiments/create", name="ours")["experiment_id"]
    run = lenient.post("runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    refused = refusal(strict, limit, run)
    assert (refused.http_status, refused.error_code) == (400, "INVALID_PARAMETER_VALUE")
    assert re.match(told(limit), refused.message), refused.message
    send(lenient, limit, limit.most + 1, run)
    data = lenient.get("runs/get", run_id=run)["run"]["data"]
    (value,) = [each["value"] for each in (*data.get("params", ()), *data["tags"]) if each["key"] == "k"]
    assert value == text(limit.most)


@cases(WIDTHS)
def test_a_column_is_as_wide_as_its_engine_says(api: Api, run: str, limit: Limit, engine_name: str) -> None:
    send(api, limit, limit.most, run)
    if engine_name == "sqlite":
        send(api, limit, limit.most + 1, run)
    else:
        refused = refusal(api, limit, run)
        assert (refused.http_status, refused.error_code) == (400, "BAD_REQUEST")


def test_an_experiment_has_fifty_saved_views(api: Api, experiment: str) -> None:
    for number in range(50):
        api.post(
            "experiments/set-experiment-tag", experiment_id=experiment, key=f"mlflow.customView.view{number}", value=""
        )
    api.post("experiments/set-experiment-tag", experiment_id=experiment, key="mlflow.customView.view7", value="again")
    with pytest.raises(Refusal, match="at most 50 tags") as refused:
        api.post("experiments/set-experiment-tag", experiment_id=experiment, key="mlflow.customView.view50", value="")
    assert (refused.value.http_status, refused.value.error_code) == (400, "INVALID_PARAMETER_VALUE")
