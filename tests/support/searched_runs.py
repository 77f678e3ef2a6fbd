"""Runs to search, in a database and as plain values, and what a search of them must find, said in Python."""

import math
import operator
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from tracking_server.database import schema
from tracking_server.search.grammars import RUNS as GRAMMAR
from tracking_server.search.parser import parse_filter
from tracking_server.search.tree import (
    And,
    Comparator,
    Comparison,
    Entity,
    Filter,
    Not,
    Or,
    Ordering,
    Scalar,
    comparisons_of,
)

MOST = sys.float_info.max

RELATIONS: Mapping[Comparator, Callable[[Any, Any], bool]] = {
    Comparator.EQUAL: operator.eq,
    Comparator.NOT_EQUAL: operator.ne,
    Comparator.GREATER: operator.gt,
    Comparator.GREATER_OR_EQUAL: operator.ge,
    Comparator.LESS: operator.lt,
    Comparator.LESS_OR_EQUAL: operator.le,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SeededDataset:
    name: str
    digest: str
    context: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SeededRun:
    run_id: str
    experiment_id: int = 1
    name: str | None = None
    user_id: str | None = "ann"
    status: str = "FINISHED"
    start_time: int | None = 1000
    end_time: int | None = None
    artifact_uri: str = "mlflow-artifacts:/1"
    lifecycle_stage: str = "active"
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    datasets: Sequence[SeededDataset] = ()


TRAIN = SeededDataset(name="iris", digest="d1", context="training")
EVAL = SeededDataset(name="Iris", digest="d2", context="eval")
BARE = SeededDataset(name="mnist", digest="d1")

RUNS = (
    SeededRun(run_id="a0", name="first", metrics={"loss": 0.5, "acc": 1}, params={"lr": "0.1", "Opt": "Adam"}),
    SeededRun(run_id="a1", name="First", metrics={"loss": -0.5}, params={"lr": "0.01", "opt": "adam"}, datasets=[EVAL]),
    SeededRun(run_id="a2", name="second", start_time=2000, metrics={"loss": math.nan}, tags={"team": "a_b"}),
    SeededRun(run_id="a3", name="50%", start_time=2000, metrics={"loss": math.nan, "acc": 2}, tags={"team": "aXb"}),
    SeededRun(run_id="a4", start_time=None, metrics={"loss": MOST}, params={"path": "C:\\data\\x"}, user_id=None),
    SeededRun(run_id="a5", start_time=None, end_time=1, metrics={"loss": -MOST}, params={"path": "C:/data/[x]"}),
    SeededRun(run_id="a6", name="", status="RUNNING", start_time=0, params={"lr": ""}, datasets=[TRAIN, BARE]),
    SeededRun(run_id="a7", name="имя", status="FAILED", start_time=-5, end_time=2500, tags={"team": "Ünï"}),
    SeededRun(run_id="a8", status="KILLED", start_time=2**53 + 1, user_id="Ann", metrics={"loss": 0.0}),
    SeededRun(run_id="a9", lifecycle_stage="deleted", metrics={"loss": 0.5}, artifact_uri="s3://b/1", datasets=[TRAIN]),
    SeededRun(run_id="b0", experiment_id=2, name="second", metrics={"loss": 0.5, "a b/c": 3}, params={"lr": "0.1"}),
    SeededRun(
        run_id="b1", experiment_id=2, end_time=1000, metrics={"loss": 1e-300}, tags={"t.x": "it''s", "team": "A_B"}
    ),
    SeededRun(run_id="c0", experiment_id=3, name="elsewhere", metrics={"loss": 0.5}),
)


FILTERS = [
    "metrics.loss = 0.5",
    "metrics.loss != 0.5",
    "metrics.loss > 0",
    "metrics.loss >= 0",
    "metrics.loss < 0.5",
    "metrics.loss <= 1e-300",
    "metrics.loss = 1e999",
    "metrics.loss > -1e999",
    "metrics.loss = 0",
    "metrics.`a b/c` = 3",
    "metrics.absent != 1",
    "metrics.loss > 0 AND metrics.acc = 1",
    "params.lr = '0.1'",
    "params.lr != '0.1'",
    "params.lr = ''",
    "params.lr LIKE '0.0_'",
    "params.lr LIKE '0.%'",
    "params.opt = 'Adam'",
    "params.opt LIKE 'ADAM'",
    "params.opt ILIKE 'ADAM'",
    "params.path = 'C:\\data\\x'",
    "params.path LIKE 'C:\\d%'",
    "params.path LIKE 'C:/data/[x]'",
    "params.path LIKE '%/%'",
    "params.lr IS NULL",
    "params.lr IS NOT NULL AND params.opt IS NULL",
    "tags.team LIKE 'a_b'",
    "tags.team ILIKE 'a_b'",
    "tags.team ILIKE '%N%'",
    "tags.t.x = 'it''s'",
    "tags.`mlflow.runName` = 'second'",
    "run_name = 'second'",
    "run_name != 'second'",
    "run_name LIKE 'F%'",
    "run_name ILIKE 'F%'",
    "run_name = '50%'",
    "run_name = 'имя'",
    "`Run Name` = ''",
    "status = 'FINISHED'",
    "status = 'finished'",
    "status != 'FINISHED'",
    "status LIKE '%ED'",
    "user_id = 'ann'",
    "user_id != 'ann'",
    "user_id ILIKE 'ANN'",
    "artifact_uri LIKE 's3:%'",
    "run_id = 'a1'",
    "run_id != 'a1'",
    "run_id LIKE 'b%'",
    "run_id IN ('a1', 'b0', 'c0')",
    "run_id NOT IN ('a1', 'b0')",
    "start_time = 1000",
    "start_time != 1000",
    "start_time > 1000.5",
    "start_time <= 0",
    f"start_time = {2**53 + 1}",
    "start_time < 1e30",
    "end_time >= 1000",
    "created > 1000",
    "datasets.name = 'iris'",
    "datasets.name ILIKE 'IRIS'",
    "datasets.name IN ('iris', 'mnist')",
    "datasets.digest != 'd1'",
    "datasets.digest NOT IN ('d2')",
    "datasets.context = 'training'",
    "datasets.context LIKE '%al'",
    "dataset.context != 'training'",
    "datasets.name = 'iris' AND datasets.name = 'mnist'",
    "NOT params.lr = '0.1'",
    "NOT params.lr IS NULL",
    "NOT NOT metrics.loss > 0",
    "NOT user_id = 'ann'",
    "NOT start_time > 1000",
    "NOT run_id IN ('a1', 'b0')",
    "NOT run_name = 'second'",
    "NOT datasets.name = 'iris'",
    "metrics.loss > 0 OR tags.team LIKE 'a%'",
    "run_id = 'a0' OR run_id = 'a1' AND status = 'FAILED'",
    "(run_id = 'a0' OR run_id = 'a1') AND status = 'FINISHED'",
    "NOT (start_time > 0 AND (end_time > 0 OR metrics.loss > 0))",
    "NOT (end_time < 5 OR NOT metrics.loss != 0.5) OR params.lr = ''",
    "",
    "status = 'FINISHED' and params.lr = '0.1' and metrics.loss = 0.5 and run_name LIKE '%'",
]

COMPARISONS = st.sampled_from([found for text in FILTERS for found in comparisons_of(parse_filter(text, GRAMMAR))])


def seed(connection: Connection, runs: Sequence[SeededRun] = RUNS) -> None:
    """Into a database without these experiments."""
    experiment_ids = sorted({run.experiment_id for run in runs})
    connection.execute(
        insert(schema.experiments),
        [{"experiment_id": number, "name": f"e{number}", "lifecycle_stage": "active"} for number in experiment_ids],
    )
    datasets = {dataset: f"dataset-{index}" for index, dataset in enumerate((TRAIN, EVAL, BARE))}
    connection.execute(
        insert(schema.datasets),
        [
            {"dataset_uuid": uuid, "experiment_id": 1, "name": dataset.name, "digest": dataset.digest}
            | {"dataset_source_type": "local", "dataset_source": "{}"}
            for dataset, uuid in datasets.items()
        ],
    )
    for run in runs:
        seed_run(connection, run, datasets)


def seed_run(
    connection: Connection, run: SeededRun, datasets: Mapping[SeededDataset, str] = MappingProxyType({})
) -> None:
    """`datasets`: the ids of those that are there."""
    connection.execute(
        insert(schema.runs).values(
            run_uuid=run.run_id,
            experiment_id=run.experiment_id,
            name=run.name,
            user_id=run.user_id,
            status=run.status,
            start_time=run.start_time,
            end_time=run.end_time,
            artifact_uri=run.artifact_uri,
            lifecycle_stage=run.lifecycle_stage,
        )
    )
    for key, number in run.metrics.items():
        stored = {"value": 0.0, "is_nan": True} if math.isnan(number) else {"value": number, "is_nan": False}
        connection.execute(
            insert(schema.latest_metrics).values(run_uuid=run.run_id, key=key, step=0, timestamp=0, **stored)
        )
    for key, value in run.params.items():
        connection.execute(insert(schema.params).values(run_uuid=run.run_id, key=key, value=value))
    for key, value in tags_of(run).items():
        connection.execute(insert(schema.tags).values(run_uuid=run.run_id, key=key, value=value))
    for dataset in run.datasets:
        input_uuid = f"{run.run_id}-{datasets[dataset]}"
        edge = {"source_type": "DATASET", "source_id": datasets[dataset]}
        edge |= {"destination_type": "RUN", "destination_id": run.run_id}
        connection.execute(insert(schema.inputs).values(input_uuid=input_uuid, **edge))
        if dataset.context is not None:
            context = {"name": "mlflow.data.context", "value": dataset.context}
            connection.execute(insert(schema.input_tags).values(input_uuid=input_uuid, **context))


def tags_of(run: SeededRun) -> Mapping[str, str]:
    return run.tags if run.name is None else {**run.tags, "mlflow.runName": run.name}


# What must be found


def matches(run: SeededRun, tree: Filter) -> bool:
    match tree:
        case And(parts=parts):
            return all(matches(run, part) for part in parts)
        case Or(parts=parts):
            return any(matches(run, part) for part in parts)
        case Not(part=part):
            return not matches(run, part)
        case Comparison(comparator=Comparator.IS_NULL):
            return not _values(run, tree)
        case Comparison(comparator=Comparator.IS_NOT_NULL):
            return bool(_values(run, tree))
        case Comparison():
            return any(_holds(value, tree) for value in _values(run, tree))


def _values(run: SeededRun, comparison: Comparison) -> Sequence[Scalar]:
    key = comparison.identifier.key
    match comparison.identifier.entity:
        case Entity.DATASET:
            found: Sequence[Scalar | None] = [getattr(dataset, key) for dataset in run.datasets]
        case Entity.METRIC:
            found = [run.metrics.get(key)]
        case Entity.PARAM:
            found = [run.params.get(key)]
        case Entity.TAG:
            found = [tags_of(run).get(key)]
        case Entity.ATTRIBUTE if key == "run_name":
            found = [run.name]
        case Entity.ATTRIBUTE:
            found = [getattr(run, key)]
    return [value for value in found if value is not None]


def _holds(left: Scalar, comparison: Comparison) -> bool:
    match comparison.comparator, left, comparison.value:
        case Comparator.LIKE, str(), str() as pattern:
            return _is_like(left, pattern, re.DOTALL)
        case Comparator.ILIKE, str(), str() as pattern:
            return _is_like(left, pattern, re.DOTALL | re.IGNORECASE)
        case Comparator.IN | Comparator.NOT_IN as comparator, _, tuple() as items:
            return (left in items) == (comparator is Comparator.IN)
        case comparator, _, right:
            return RELATIONS[comparator](left, right)


def _is_like(value: str, pattern: str, flags: int) -> bool:
    wildcards = {"%": ".*", "_": "."}
    return re.fullmatch("".join(wildcards.get(sign, re.escape(sign)) for sign in pattern), value, flags) is not None


def in_order(runs: Sequence[SeededRun], orderings: Sequence[Ordering]) -> Sequence[str]:
    """Their ids. Sorts from the last key to the first, since Python's sort keeps the order of equals."""
    named = {ordering.identifier.key for ordering in orderings if ordering.identifier.entity is Entity.ATTRIBUTE}
    found = sorted(runs, key=lambda run: run.run_id)
    if "start_time" not in named:
        found.sort(key=lambda run: _rank(run.start_time, descending=True))
    for ordering in reversed(orderings):
        comparison = Comparison(identifier=ordering.identifier, comparator=Comparator.IS_NULL, value=None)
        found.sort(key=lambda run: _rank(next(iter(_values(run, comparison)), None), descending=ordering.descending))
    return [run.run_id for run in found]


def _rank(value: Scalar | None, *, descending: bool) -> tuple[int, object]:
    """Values, then NaN, then nothing."""
    match value:
        case None:
            return (2, 0)
        case float() if math.isnan(value):
            return (1, 0)
        case str():
            points = [ord(sign) for sign in value]
            return (0, [-point for point in points] + [1] if descending else points)
        case _:
            return (0, -value if descending else value)
