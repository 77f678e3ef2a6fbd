"""Searches to be asked of two servers: the tables of the grammars row by row, what is odd, and where ours is better.

`searches_of` a noun are answered the same by MLflow's server, those in `BETTER` otherwise, for the reason under which
they stand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracking_server.search.tree import Comparator


@dataclass(frozen=True, kw_only=True, slots=True)
class Noun:
    """What is searched: where, what is asked unless told otherwise, and how what was found is called."""

    name: str
    path: str
    found: str
    asked: Mapping[str, object]
    is_get: bool = False

    def names(self, document: Mapping[str, Any]) -> list[str]:
        return [_name_of(one) for one in document.get(self.found, [])]


def _name_of(found: Mapping[str, Any]) -> str:
    fields = found.get("info", found)
    names = [fields.get(key) for key in ("run_id", "model_id", "experiment_id") if fields.get(key)]
    return str(names[0] if "name" not in found else " ".join(filter(None, [found["name"], found.get("version")])))


RUNS: Final = Noun(
    name="runs",
    path="/api/2.0/mlflow/runs/search",
    found="runs",
    asked={"experiment_ids": ["1", "2"], "run_view_type": "ALL"},
)
EXPERIMENTS: Final = Noun(
    name="experiments",
    path="/api/2.0/mlflow/experiments/search",
    found="experiments",
    asked={"max_results": 100},
)
MODELS: Final = Noun(
    name="logged models",
    path="/api/2.0/mlflow/logged-models/search",
    found="models",
    asked={"experiment_ids": ["1", "2"]},
)
REGISTERED: Final = Noun(
    name="registered models",
    path="/api/2.0/mlflow/registered-models/search",
    found="registered_models",
    asked={},
    is_get=True,
)
VERSIONS: Final = Noun(
    name="model versions",
    path="/api/2.0/mlflow/model-versions/search",
    found="model_versions",
    asked={},
    is_get=True,
)
NOUNS: Final = (RUNS, EXPERIMENTS, MODELS, REGISTERED, VERSIONS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One identifier in its spellings, and literals of the kind that it takes and of those that it does not."""

    written: Sequence[str]
    literal: str
    others: Sequence[str]
    listed: str = "('a1', 'b0')"

    def filters(self) -> Iterator[str]:
        """Of the other spellings only some: they are names of the same."""
        first, *others = self.written
        for comparator in Comparator:
            yield f"{first} {comparator} {self._right_of(comparator)}".strip()
        for name in others:
            for comparator in (Comparator.EQUAL, Comparator.GREATER, Comparator.NOT_IN):
                yield f"{name} {comparator} {self._right_of(comparator)}"
        for literal in self.others:
            yield f"{first} = {literal}"

    def _right_of(self, comparator: Comparator) -> str:
        match comparator:
            case Comparator.IN | Comparator.NOT_IN:
                return self.listed
            case Comparator.IS_NULL | Comparator.IS_NOT_NULL:
                return ""
            case _:
                return self.literal


_NO_NUMBERS: Final = ("'5'", '"5"', "abc", "(5)", "")
_NO_TEXTS: Final = ("5", "abc", "`abc`", "")
_NO_INTEGERS: Final = (*_NO_NUMBERS, "5.5", "1e3")

_TABLES: Final[Mapping[str, Sequence[Row]]] = {
    RUNS.name: [
        Row(written=("metrics.loss", "metric.loss"), literal="0.5", others=_NO_NUMBERS),
        Row(written=("params.lr", "param.lr", "parameters.lr", "parameter.lr"), literal="'0.1'", others=_NO_TEXTS),
        Row(written=("tags.team", "tag.team", "tags.`team`"), literal='"a_b"', others=_NO_TEXTS),
        *(
            Row(
                written=[f"{prefix}{name}" for prefix in ("", "attribute.", "attributes.", "attr.", "run.")],
                literal=literal,
                others=_NO_TEXTS,
            )
            for name, literal in (
                ("run_id", "'a1'"),
                ("run_name", "'second'"),
                ("status", "'FAILED'"),
                ("user_id", "'ann'"),
                ("artifact_uri", "'%:/1'"),
            )
        ),
        *(
            Row(
                written=[f"{prefix}{name}" for prefix in ("", "attribute.", "attributes.", "attr.", "run.")],
                literal="1000",
                others=_NO_NUMBERS,
            )
            for name in ("start_time", "end_time", "created", "Created")
        ),
        *(
            Row(written=[f"{prefix}.{name}" for prefix in ("dataset", "datasets")], literal=literal, others=_NO_TEXTS)
            for name, literal in (("name", "'iris'"), ("digest", "'d1'"), ("context", "'training'"))
        ),
        Row(written=("`Run name`", '"run name"', "attributes.`Run Name`"), literal="'first'", others=()),
        Row(written=("experiment_id", "lifecycle_stage", "foo", "foo.bar"), literal="'1'", others=()),
    ],
    EXPERIMENTS.name: [
        Row(written=("name", "attribute.name"), literal="'al%a'", others=_NO_TEXTS),
        Row(
            written=("experiment_id", "attribute.experiment_id"),
            literal="'11'",
            others=("11", "'x'", "abc"),
            listed="('11', '12')",
        ),
        Row(written=("creation_time", "attribute.creation_time"), literal="100", others=_NO_INTEGERS),
        Row(written=("last_update_time", "attribute.last_update_time"), literal="800", others=_NO_INTEGERS),
        Row(written=("tags.team", "tag.team", "tags.`team`"), literal="'vision'", others=_NO_TEXTS),
        Row(written=("attributes.name", "attr.name", "params.a", "foo", "lifecycle_stage"), literal="'x'", others=()),
    ],
    MODELS.name: [
        Row(written=("metrics.acc", "metrics.`acc`"), literal="0.5", others=("",), listed="('1')"),
        Row(written=("params.depth", "params.`depth`"), literal="'3'", others=("3", "abc")),
        Row(written=("tags.team",), literal="'a_b'", others=("a_b", "5"), listed="('a_b', 'x')"),
        *(
            Row(written=(name, f"attributes.{name}"), literal=literal, others=("abc", "5"))
            for name, literal in (
                ("name", "'forest'"),
                ("model_id", "'m-a0'"),
                ("model_type", "'tree'"),
                ("source_run_id", "'a0'"),
                ("lifecycle_stage", "'active'"),
                ("artifact_location", "'%m-a0%'"),
                ("status_message", "''"),
            )
        ),
        *(
            Row(written=[name], literal="2000", others=("",), listed="('1')")
            for name in (
                *("creation_timestamp_ms", "attributes.creation_timestamp_ms", "creation_time", "creation_timestamp"),
                *("last_updated_timestamp_ms", "last_updated_timestamp"),
            )
        ),
        Row(written=("metric.acc", "param.depth", "tag.team", "attribute.name", "attr.name"), literal="'x'", others=()),
    ],
    REGISTERED.name: [
        Row(written=("name", "attribute.name"), literal="'forest'", others=_NO_TEXTS, listed="('forest', 'x')"),
        Row(written=("tags.team", "tag.team"), literal="'vision'", others=_NO_TEXTS),
        Row(written=("tags.`a b/c`",), literal="''", others=()),
        Row(written=("attributes.name", "attr.name", "run_id", "params.a", "timestamp"), literal="'x'", others=()),
    ],
    VERSIONS.name: [
        Row(written=("name", "attribute.name"), literal="'forest'", others=_NO_TEXTS, listed="('forest', 'x')"),
        Row(written=("run_id",), literal="'a1'", others=_NO_TEXTS, listed="('a1', 'b0')"),
        Row(written=("source_path",), literal="'s3://b/x'", others=_NO_TEXTS),
        Row(written=("version_number",), literal="2", others=("'2'", "abc", "1.5", "")),
        Row(written=("tags.team", "tag.team"), literal="'vision'", others=_NO_TEXTS),
        Row(written=("attributes.name", "version", "source", "params.a"), literal="'x'", others=()),
    ],
}

_ODD: Final[Mapping[str, Sequence[str]]] = {
    RUNS.name: [
        *("metrics.loss = nan", "metrics.loss = Infinity", "metrics.loss = 1e999", "metrics.loss > -1e999"),
        *("metrics.loss > -.5", "metrics.loss > 5.", "metrics.loss > +5", "metrics.loss > 0x10", "metrics.loss > 1,5"),
        *("metrics.loss=0.5 and  params.lr='0.1'", "metrics.loss=0.5 params.lr='0.1'", "AND metrics.loss = 0.5"),
        *(
            "metrics.loss = 0.5 AND",
            "metrics.loss = 0.5 AND AND params.lr = '0.1'",
            "metrics.loss=0.5, params.lr='0.1'",
        ),
        *("metrics.loss = 0.5;", "metrics.loss BETWEEN 0 AND 1", "start_time BETWEEN 0 AND 1", "0.5 = metrics.loss"),
        *("'0.1' = params.lr", "params.lr = params.lr", "params.lr == '0.1'", "metrics.loss <> 0.5", "metrics.loss"),
        *(
            "params.lr NOT LIKE 'x'",
            "params.lr IS",
            "params.lr is null and tags.team is not null",
            "params.lr IN ('x')",
        ),
        *(
            "run_id IN ('a1',)",
            "run_id IN ()",
            "run_id IN 'a1'",
            "run_id IN (a1)",
            "run_id in('a1')",
            "run_id NOT IN('a1')",
        ),
        *(
            "metrics.`a b/c` > 1",
            "metrics.'a b/c' > 1",
            'metrics."a b/c" > 1',
            "`metrics`.`loss` > 0",
            "metrics.a-b > 1",
        ),
        *(
            "tags.t.x = \"it''s\"",
            "tags.t.x = 'it''s'",
            "params.path = 'C:\\data\\x'",
            "params.lr = ''",
            "params.lr = '0.1",
        ),
        *("params.lr = '0.1\"", "start_time > 1000.5", "start_time = 1e3", "status = 'finished'", "METRICS.loss > 0"),
        *(
            "params.or = 'x'",
            "tags.not = 'x'",
            "tags.and = 'x'",
            "params.like = 'x'",
            "params.is = 'x'",
            "params.order = 'x'",
        ),
        *(
            "metrics.count > 1",
            "tags.user = 'x'",
            "params.select = 'x'",
            "tags.a = 'x OR (NOT y)'",
            "tags.a = 'b' -- c",
        ),
        *("tags.team LIKE 'a\\_b'", "tags.team ILIKE 'A_B'", "tags.été = 'x'", "params.имя = 'x'", "run_name = 'имя'"),
        *("datasets.name = 'iris' AND datasets.name = 'mnist'", "datasets.name IN ('iris',)", "datasets.source = 'x'"),
        *("params.path LIKE 'C:/data/[x]'", "run_name = '50%'", "tags.`mlflow.runName` = 'second'", "Run Name = 'x'"),
    ],
    EXPERIMENTS.name: [
        *("name = 'alpha' AND tags.team = 'vision'", "name = 'alpha' tags.team = 'vision'", "AND name = 'alpha'"),
        *(
            "name = 'alpha' AND",
            "name == 'alpha'",
            "name <> 'alpha'",
            "name = 'alpha';",
            "name",
            "'alpha' = name",
            "name =",
        ),
        *("experiment_id IN ('11',)", "experiment_id IN (11, 12)", "experiment_id IN ('a')", "experiment_id = '-1'"),
        *(
            "creation_time > 100.5",
            "last_update_time > -1",
            "tags.`a b/c` = ''",
            "tags.'a b/c' IS NOT NULL",
            "Name = 'x'",
        ),
        *(
            "`name` = 'alpha'",
            "\"name\" = 'alpha'",
            'name = "alpha"',
            "tags.or = 'x'",
            "tags.not = 'x'",
            "name LIKE '%al\\%%'",
        ),
        *("tags.Team = 'vision'", "tags.team is null", "name BETWEEN 'a' AND 'b'", "name LIKE 'al[%]a'"),
    ],
    MODELS.name: [
        *("name = 'forest' AND status = 2", "name = 'forest' status = 2", "AND name = 'forest'", "name = 'forest' AND"),
        *(
            "name = 'forest' AND AND status = 2",
            "name == 'forest'",
            "name <> 'forest'",
            "name = 'forest';",
            "name =",
            "name",
        ),
        *(
            "status = 2",
            "status = '2'",
            "status != 2",
            "status IN (1, 2)",
            "status IN ('1', '2')",
            "status > 1",
            "status IS NULL",
        ),
        *(
            "experiment_id = 1",
            "experiment_id = '1'",
            "experiment_id != 1",
            "experiment_id IN ('1', 2)",
            "experiment_id > 0",
        ),
        *(
            "attributes.status = 2",
            "name like 'for%'",
            "name in ('forest')",
            "name IN ('forest',)",
            "name = AND",
            "`name` = 'x'",
        ),
        *("metrics.`a b/c` > 1", "metrics.acc > 1e999", "metrics.acc < 1e999", "metrics.acc IN (1)", "metrics.a b > 1"),
        *(
            "metrics.acc < 0.6 AND metrics.acc > 0.8",
            "params.path = 'C:\\x'",
            "params.Loss = 'mse'",
            "params.loss = 'mse'",
        ),
        *(
            "tags.team ILIKE 'A_B'",
            "name = '50%'",
            "name = 'modèle'",
            "name = 'it''s'",
            "name = 'a OR b'",
            "tags.or = 'x'",
        ),
        *("name = for est", "name = -5", "params.depth = ''", "name NOT LIKE 'x'", "lifecycle_stage = 'deleted'"),
    ],
    REGISTERED.name: [
        *(
            "name = 'forest' AND tags.team = 'vision'",
            "name ILIKE 'f%'",
            "name like 'f%'",
            "name LIKE 'f\\%%'",
            "name IN ()",
        ),
        *(
            "name IN ('forest',)",
            "name IN (forest)",
            "name == 'x'",
            "name",
            "name =",
            "tags.`mlflow.prompt.is_prompt` = 'true'",
        ),
        *("tags.`mlflow.prompt.is_prompt` != 'true'", "tags.`mlflow.prompt.is_prompt` = 'false'"),
        *(
            "tags.team != 'vision'",
            "tags.absent != 'x'",
            "tags.or = 'x'",
            "name = 'prompt'",
            "name = 'forest';",
            "name = ''",
        ),
        "name = 'prompt' AND tags.`mlflow.prompt.is_prompt` = 'true'",
        "tags.`mlflow.prompt.is_prompt` != 'true' AND name LIKE 'f%'",
    ],
    VERSIONS.name: [
        *(
            "name = 'forest' AND version_number > 1",
            "name = 'forest' and run_id = 'a1'",
            "version_number > 1.5",
            "name =",
        ),
        *(
            "run_id IN ('a0', 'a1')",
            "run_id IN ('a0',)",
            "run_id IN ()",
            "run_id IN (a0)",
            "source_path LIKE 's3:%'",
            "name",
        ),
        *(
            "source_path ILIKE 'S3:%'",
            "tags.`mlflow.prompt.is_prompt` = 'true'",
            "tags.`mlflow.prompt.is_prompt` != 'true'",
        ),
        *(
            "tags.`a b/c` = ''",
            "tags.team != 'vision'",
            "name = 'prompt'",
            "version_number = 10",
            "version_number != 1",
        ),
        *("tags.or = 'x'", "name = 'forest';", "name IN ('forest', 'Forest')", "version_number < -1", "run_id = ''"),
        "name = 'prompt' AND tags.`mlflow.prompt.is_prompt` = 'true'",
    ],
}

_ORDERS: Final[Mapping[str, Sequence[Sequence[object]]]] = {
    RUNS.name: [
        *(
            [item]
            for name in (
                *(
                    "start_time",
                    "end_time",
                    "status",
                    "user_id",
                    "run_name",
                    "run_id",
                    "artifact_uri",
                    "Created",
                    "created",
                ),
                *(
                    "metrics.loss",
                    "metric.acc",
                    "metrics.`a b/c`",
                    "metrics.absent",
                    "params.lr",
                    "parameter.lr",
                    "tags.team",
                ),
                *("attribute.start_time", "attributes.end_time", "attr.run_name", "run.run_id", "tags.`t.x`"),
                *(
                    "datasets.name",
                    "foo.bar",
                    "experiment_id",
                    "lifecycle_stage",
                    "duration",
                    "metrics",
                    "start_time, run_id",
                ),
            )
            for item in (name, f"{name} DESC")
        ),
        *(
            [item]
            for item in ("", "  ", "start_time  desc", "start_time NULLS LAST", "start_time;", "start_time ASC DESC")
        ),
        *(["metrics.loss", "metrics.acc"], ["run_id", "start_time"], ["start_time DESC", "run_id DESC"]),
        *(["params.lr", "tags.team DESC"], ["run_name", "tags.`mlflow.runName`"], ["end_time", "metrics.loss DESC"]),
    ],
    EXPERIMENTS.name: [
        *(
            [item]
            for name in (
                *("name", "experiment_id", "creation_time", "last_update_time", "attribute.name", "`name`"),
                *(
                    "attributes.name",
                    "attr.name",
                    "tags.team",
                    "foo",
                    "lifecycle_stage",
                    "",
                    "name, experiment_id",
                    "Name",
                ),
            )
            for item in (name, f"{name} DESC")
        ),
        *(["creation_time", "last_update_time DESC"], ["last_update_time", "name DESC"], ["experiment_id", "name"]),
        *(["creation_time", "experiment_id"], ["name ASC DESC"], ["name", "name"], ["name", "name DESC"]),
    ],
    MODELS.name: [
        *(
            [{"field_name": name, "ascending": ascending}]
            for name in (
                *("name", "model_id", "model_type", "source_run_id", "experiment_id", "lifecycle_stage", "status"),
                *("creation_timestamp_ms", "last_updated_timestamp_ms", "creation_time", "creation_timestamp"),
                *("last_updated_timestamp", "artifact_location", "status_message", "metrics.acc", "metrics.absent"),
                *("foo", "params.depth", "tags.team", "metric.acc", "attribute.name", "", " name", "name DESC"),
            )
            for ascending in (True, False)
        ),
        *(
            [{"field_name": "metrics.acc", "ascending": ascending, **dataset}]
            for ascending in (True, False)
            for dataset in (
                {"dataset_name": "iris"},
                {"dataset_digest": "d1"},
                {"dataset_name": "iris", "dataset_digest": "d1"},
                {"dataset_name": "iris", "dataset_digest": "d2"},
                {"dataset_name": "mnist", "dataset_digest": "d2"},
            )
        ),
        [{"field_name": "name"}, {"field_name": "creation_timestamp", "ascending": False}],
        [{"field_name": "name"}, {"field_name": "name", "ascending": False}],
        [{"field_name": "metrics.acc"}, {"field_name": "metrics.loss"}],
        *(
            [{"ascending": True}],
            [{}],
            ["name"],
            [{"field_name": 5}],
            [{"field_name": "name", "dataset_name": "iris"}],
        ),
    ],
    REGISTERED.name: [
        *(
            [item]
            for name in (
                "name",
                "timestamp",
                "last_updated_timestamp",
                "creation_timestamp",
                "foo",
                "tags.team",
            )
            for item in (name, f"{name} DESC")
        ),
        *(["timestamp", "name DESC"], ["last_updated_timestamp ASC"], ["name,timestamp"], ["name ASC DESC"], [""]),
    ],
    VERSIONS.name: [
        *(
            [item]
            for name in (
                "name",
                "version_number",
                "creation_timestamp",
                "last_updated_timestamp",
                "run_id",
                "foo",
                "version",
            )
            for item in (name, f"{name} DESC")
        ),
        *(
            ["name DESC", "version_number"],
            ["creation_timestamp", "name DESC"],
            ["last_updated_timestamp", "version_number"],
        ),
    ],
}

_D1: Final[Mapping[str, str]] = {"dataset_name": "iris", "dataset_digest": "d1"}
_D2: Final[Mapping[str, str]] = {"dataset_name": "mnist", "dataset_digest": "d2"}

_NAMELESS: Final[Mapping[str, str]] = {}

_NO_DATASET: Final[Mapping[str, str]] = {}
_NARROWED: Final[Sequence[Sequence[Mapping[str, str]]]] = ([], [_D1], [_D2], [_D1, _D2], [{"dataset_digest": "d1"}])

_FIELDS: Final[Mapping[str, Sequence[Mapping[str, object]]]] = {
    RUNS.name: [
        {},
        *({"max_results": size} for size in (-1, 0, 1, 5, 50000, 50001)),
        *({"run_view_type": view} for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", "all", 1, 2, 3)),
        *({"experiment_ids": ids} for ids in ([], ["1"], ["1", "1"], ["404"], ["x"], ["3", "2"])),
        {"page_token": "nonsense"},
    ],
    EXPERIMENTS.name: [
        {},
        *({"max_results": size} for size in (-1, 0, 1, 2, 50000, 50001)),
        *({"view_type": view} for view in ("ACTIVE_ONLY", "DELETED_ONLY", "ALL", "all", 1, 2, 3)),
        {"page_token": "nonsense"},
    ],
    MODELS.name: [
        {},
        *({"max_results": size} for size in (0, 1, 2, 100, 50001)),
        *({"experiment_ids": ids} for ids in ([], ["1"], ["404"], ["x"], ["1", "1"])),
        *({"datasets": datasets} for datasets in _NARROWED),
        {"datasets": [_NAMELESS]},
        {"datasets": "x"},
        *(
            {"filter": text, "datasets": datasets}
            for text in (
                "metrics.acc > 0.6",
                "params.depth = '3'",
                "metrics.loss > 0",
                "metrics.acc < 0.6 AND metrics.acc > 0.8",
            )
            for datasets in ([_D1], [_D2], [_D1, _D2], [{"dataset_name": "absent", "dataset_digest": "d1"}])
        ),
    ],
    REGISTERED.name: [
        {},
        *({"max_results": size} for size in (1, 2, 1000, 1001)),
        {"page_token": "nonsense"},
    ],
    VERSIONS.name: [
        {},
        *({"max_results": size} for size in (-1, 0, 1, 2, 200000, 200001)),
        {"page_token": "nonsense"},
    ],
}


BETTER: Final[Mapping[str, Sequence[tuple[Noun, Mapping[str, object]]]]] = {
    "an extension of the language": [
        (RUNS, {"filter": "metrics.loss > 0 OR tags.team LIKE 'a%'"}),
        (RUNS, {"filter": "NOT params.lr = '0.1'"}),
        (RUNS, {"filter": "(params.lr = '0.1')"}),
        (EXPERIMENTS, {"filter": "name = 'alpha' OR tags.team = 'Vision'"}),
        (EXPERIMENTS, {"filter": "NOT (name = 'alpha')"}),
        (MODELS, {"filter": "name = 'forest' OR NOT metrics.acc > 0"}),
        (REGISTERED, {"filter": "NOT (name = 'forest' OR tags.team = 'Vision')"}),
        (VERSIONS, {"filter": "version_number = 1 AND (run_id = 'a0' OR run_id = 'a1')"}),
    ],
    "keywords are written in any case": [
        (EXPERIMENTS, {"filter": "name like 'al%'"}),
        (EXPERIMENTS, {"filter": "tags.team ilike 'VISION'"}),
        (EXPERIMENTS, {"filter": "experiment_id in ('11')"}),
    ],
    "a key may be a word of the language": [
        (RUNS, {"filter": "params.in = 'x'"}),
        (EXPERIMENTS, {"filter": "tags.in = 'x'"}),
        (MODELS, {"filter": "tags.in = 'x'"}),
    ],
    "both quotes quote a text, and all three a key": [
        (MODELS, {"filter": 'name = "forest"'}),
        (MODELS, {"filter": 'params.depth = "3"'}),
        (MODELS, {"filter": "metrics.'a b/c' > 1"}),
        (REGISTERED, {"filter": "`name` = 'forest'"}),
        (REGISTERED, {"order_by": ["`name`"]}),
        (RUNS, {"order_by": ["`Run name`"]}),
    ],
    "what can match nothing is refused": [
        (MODELS, {"filter": "name IN ()"}),
        (MODELS, {"filter": "experiment_id = 'x'"}),
        (MODELS, {"filter": "status = 'READY'"}),
        (MODELS, {"filter": "metrics.acc > nan"}),
        (RUNS, {"filter": "run_id IN ('a1' 'b0')"}),
        (RUNS, {"filter": "metrics. loss = 1"}),
    ],
    "a number has no pattern, on no engine": [
        (MODELS, {"filter": "experiment_id LIKE '1'"}),
        (MODELS, {"filter": "status LIKE '2'"}),
    ],
    "attributes are written in the same way everywhere": [
        (MODELS, {"filter": "attributes.creation_time > 1000"}),
        (MODELS, {"order_by": [{"field_name": "attributes.name", "ascending": False}]}),
    ],
    "a dataset without a digest is meant whatever its digest is": [
        (MODELS, {"datasets": [{"dataset_name": "iris"}]}),
        (MODELS, {"filter": "metrics.acc > 0.6", "datasets": [{"dataset_name": "iris"}]}),
    ],
    "a page has at least one place": [
        (MODELS, {"max_results": -1}),
        (REGISTERED, {"max_results": 0}),
        (REGISTERED, {"max_results": -1}),
    ],
    "blanks mean nothing": [
        (EXPERIMENTS, {"filter": " "}),
        (EXPERIMENTS, {"order_by": ["name desc "]}),
        (MODELS, {"filter": " "}),
        (RUNS, {"order_by": ["metrics.loss desc "]}),
    ],
    "a token is one that this server gave for this search": [
        (RUNS, {"page_token": "eyJvZmZzZXQiOiAxfQ=="}),
        (EXPERIMENTS, {"page_token": "eyJvZmZzZXQiOiAxfQ=="}),
    ],
    "a mistake of the user is 400": [
        (RUNS, {"order_by": ["start_time", "Created"]}),
        (RUNS, {"filter": "run_id IN ('a1', b0)"}),
        (EXPERIMENTS, {"filter": "experiment_id = '99999999999999999999'"}),
        (MODELS, {"filter": "foo = 'x'"}),
        (MODELS, {"filter": "metrics.acc > '0.6'"}),
        (MODELS, {"order_by": [{"field_name": "metrics"}]}),
        (MODELS, {"page_token": "nonsense"}),
    ],
}


def searches_of(noun: Noun) -> Iterator[Mapping[str, object]]:
    """What is asked: the fields of each request, besides those that the noun asks anyway."""
    yield from ({"filter": text} for row in _TABLES[noun.name] for text in row.filters())
    yield from ({"filter": text} for text in _ODD[noun.name])
    yield from ({"order_by": items} for items in _ORDERS[noun.name])
    yield from _FIELDS[noun.name]
