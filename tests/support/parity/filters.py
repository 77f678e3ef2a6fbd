"""Filters and orders of searches as users write them, over the keys and values that the calls log."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from tests.support.parity.calls import PREFIX
from tests.support.parity.drawing import KEYS, NOBODY, Draw, Known, a_coin, a_known, chance, one_of

_Comparison: TypeAlias = Callable[[Draw, Known], str]
_BEFORE_ATTRIBUTES: Final = ("", "attribute.")
_NUMBERS: Final = ("0", "1", "-1", "0.5", "0.25", "1e308", "3", "2.0", "1e3")
_RUN_COLUMNS: Final = ("start_time", "end_time", "status", "run_name", "metric", "param", "tag")
_WHOLE: Final = ("0", "1000", "1003", "2000", "4000")
_COMPARISONS: Final = ("=", "!=", ">", ">=", "<", "<=")
_TEXTUAL: Final = ("=", "!=", "LIKE", "ILIKE", "like", "iLike")
_PATTERNS: Final = (
    "%",
    "v",
    "V",
    "%a%",
    "_",
    "f%",
    "F%",
    "1",
    "a_b",
    "a\\_b",
    "",
    "x y",
    "größe",
    "fast 1",
    "%s%",
    'it"s',
)
_NOT_RUN_FILTERS: Final = (
    *("nonsense = 'x'", "params.a = 1", "metrics.a = 'x'", "metrics.a LIKE 'x'", "params.a > 'x'", "tags.a IN ('v')"),
    "run_id = 5",
    "run_name IN ('a')",
    "start_time = '5'",
    "start_time LIKE 'x'",
    "colour.a = 'x'",
    "params.a",
    "= 'x'",
    "params.a = ",
    "params.a BETWEEN 'a' AND 'b'",
    "params.a = 'v';",
    "params.a == 'v'",
    "run_id IN ()",
    "tags.a IS 'x'",
    "params. = 'v'",
    "attributes.experiment_id = '1'",
    "lifecycle_stage = 'active'",
    "params.a = 'v",
    "dataset.x = 'y'",
    "'params.a' = 'v'",
    "params.a = params.b",
    "1 = 1",
    "attribute.run_id LIKE 5",
    "AND",
    "metrics.a > 0 AND",
    "metrics.a IS NULL",
    "AND params.a = 'v'",
    "params.a = 'v' params.b = 'v'",
    "metrics.a > NaN",
    "start_time > 1.5",
    "status = FINISHED",
)
_NOT_EXPERIMENT_FILTERS: Final = (
    *("nonsense = 'x'", "name = 5", "name > 'a'", "name IN ('a')", "attributes.name = 'x'", "attr.name = 'x'"),
    *("tags.a > 'v'", "creation_time > 1.5", "creation_time = 'x'", "experiment_id > 1", "experiment_id LIKE '1'"),
    *("name = 'x' AND", "tags.a IN ('v')", "name like 'x'", "lifecycle_stage = 'active'", "name BETWEEN 'a' AND 'b'"),
)


def _quoted(draw: Draw, text: str) -> str:
    if "'" in text:
        return f'"{text}"'
    return f"'{text}'" if '"' in text or a_coin(draw) else f'"{text}"'


def _key(draw: Draw) -> str:
    key = one_of(draw, KEYS)
    if key.isascii() and key.replace(".", "").isalpha() and a_coin(draw):
        return key
    return f"`{key}`" if a_coin(draw) else f'"{key}"'


def _number_comparison(draw: Draw, left: str, numbers: Sequence[str]) -> str:
    return f"{left} {one_of(draw, _COMPARISONS)} {one_of(draw, numbers)}"


def _text_comparison(draw: Draw, left: str, comparators: Sequence[str] = _TEXTUAL) -> str:
    return f"{left} {one_of(draw, comparators)} {_quoted(draw, one_of(draw, _PATTERNS))}"


def _of_metrics(draw: Draw, _known: Known) -> str:
    return _number_comparison(draw, f"{one_of(draw, ('metrics', 'metric'))}.{_key(draw)}", _NUMBERS)


def _of_params(draw: Draw, _known: Known) -> str:
    return _text_comparison(draw, f"{one_of(draw, ('params', 'param', 'parameters'))}.{_key(draw)}")


def _of_tags(draw: Draw, _known: Known) -> str:
    return _text_comparison(draw, f"{one_of(draw, ('tags', 'tag'))}.{_key(draw)}")


def _of_what_is_there(draw: Draw, _known: Known) -> str:
    return f"{one_of(draw, ('tags', 'params'))}.{_key(draw)} {one_of(draw, ('IS NULL', 'IS NOT NULL', 'is null'))}"


def _of_texts(draw: Draw, _known: Known) -> str:
    prefix = one_of(draw, ("", "attributes.", "attribute.", "attr.", "run."))
    name = one_of(draw, ("run_name", "user_id", "status", "artifact_uri", "`run name`", "`Run Name`"))
    return _text_comparison(draw, prefix + name)


def _of_times(draw: Draw, _known: Known) -> str:
    prefix = one_of(draw, ("", "attributes.", "attr."))
    return _number_comparison(draw, prefix + one_of(draw, ("start_time", "end_time", "created")), _WHOLE)


def _of_ids(draw: Draw, known: Known) -> str:
    runs = [a_known(draw, known, "run", NOBODY, 10) for _ in range(draw.randint(1, 2))]
    if a_coin(draw):
        return f"run_id {one_of(draw, ('=', '!='))} '{runs[0]}'"
    listed = ", ".join(f"'{run}'" for run in runs)
    return f"attributes.run_id {one_of(draw, ('IN', 'NOT IN', 'in'))} ({listed})"


def _of_datasets(draw: Draw, _known: Known) -> str:
    left = f"{one_of(draw, ('dataset', 'datasets'))}.{one_of(draw, ('name', 'digest', 'context'))}"
    if a_coin(draw):
        return _text_comparison(draw, left)
    return f"{left} {one_of(draw, ('IN', 'NOT IN'))} ('d1', '1', 'train')"


_OF_RUNS: Final[Sequence[_Comparison]] = (
    *(_of_metrics, _of_metrics, _of_params, _of_tags, _of_what_is_there, _of_texts, _of_times, _of_ids, _of_datasets),
)


def a_run_filter(draw: Draw, known: Known) -> str:
    if chance(draw, 12):
        return one_of(draw, _NOT_RUN_FILTERS)
    parts = [one_of(draw, _OF_RUNS)(draw, known) for _ in range(draw.randint(0, 3))]
    return one_of(draw, (" AND ", " and ")).join(parts)


def run_order(draw: Draw) -> list[str]:
    """Not by what is made up: names and ids of runs that had none."""
    if chance(draw, 12):
        return [
            one_of(draw, ("nonsense.a", "dataset.name", "start_time UP", "metrics.a DESC ASC", "lifecycle_stage", ""))
        ]
    columns = draw.sample(_RUN_COLUMNS, draw.randint(0, 2))
    return [f"{_order_column(draw, column)}{one_of(draw, ('', ' ASC', ' DESC', ' desc'))}" for column in columns]


def _order_column(draw: Draw, column: str) -> str:
    if column in {"metric", "param", "tag"}:
        return f"{column}{one_of(draw, ('', 's'))}.{_key(draw)}"
    return one_of(draw, ("", "attributes.", "attribute.")) + column


def _of_names(draw: Draw, known: Known) -> str:
    names = known.of("experiment name")
    name = one_of(draw, names) if names and a_coin(draw) else f"%{one_of(draw, _PATTERNS)}%"
    left = one_of(draw, _BEFORE_ATTRIBUTES) + "name"
    return f"{left} {one_of(draw, ('=', '!=', 'LIKE', 'ILIKE'))} {_quoted(draw, name)}"


def _of_experiment_tags(draw: Draw, _known: Known) -> str:
    left = f"{one_of(draw, ('tags', 'tag'))}.{_key(draw)}"
    if a_coin(draw):
        return f"{left} {one_of(draw, ('IS NULL', 'IS NOT NULL'))}"
    return _text_comparison(draw, left, ("=", "!=", "LIKE", "ILIKE"))


def _of_experiment_times(draw: Draw, _known: Known) -> str:
    left = one_of(draw, _BEFORE_ATTRIBUTES) + one_of(draw, ("creation_time", "last_update_time"))
    return _number_comparison(draw, left, ("0", "4000000000000"))


def _of_experiment_ids(draw: Draw, known: Known) -> str:
    left = one_of(draw, _BEFORE_ATTRIBUTES) + "experiment_id"
    experiments = [a_known(draw, known, "experiment", "987654321", 10) for _ in range(draw.randint(1, 2))]
    if a_coin(draw):
        return f"{left} {one_of(draw, ('=', '!='))} '{experiments[0]}'"
    listed = ", ".join(f"'{experiment}'" for experiment in experiments)
    return f"{left} {one_of(draw, ('IN', 'NOT IN'))} ({listed})"


_OF_EXPERIMENTS: Final[Sequence[_Comparison]] = (
    *(_of_names, _of_experiment_tags, _of_experiment_times, _of_experiment_ids),
)


def an_experiment_filter(draw: Draw, known: Known) -> str:
    """Always of this sequence's experiments alone: a server has many others."""
    if chance(draw, 12):
        return one_of(draw, _NOT_EXPERIMENT_FILTERS)
    others = [one_of(draw, _OF_EXPERIMENTS)(draw, known) for _ in range(draw.randint(0, 2))]
    return " AND ".join([f"name LIKE '{PREFIX}%'", *others])


def experiment_order(draw: Draw) -> list[str]:
    if chance(draw, 12):
        return [one_of(draw, ("nonsense", "tags.a", "name UP", "attributes.name", "lifecycle_stage", ""))]
    columns = draw.sample(("name", "experiment_id", "creation_time", "last_update_time"), draw.randint(0, 2))
    return [
        f"{one_of(draw, ('', 'attribute.'))}{column}{one_of(draw, ('', ' ASC', ' DESC', ' asc'))}" for column in columns
    ]
