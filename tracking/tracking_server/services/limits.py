"""What a value may be: lengths, counts, the rule for keys. Pure; every refusal names the place and the limit."""

import posixpath
import re
from collections.abc import Sequence

from tracking_server.entities.datasets import DatasetInput
from tracking_server.entities.metrics import NewMetric
from tracking_server.entities.runs import LogBatch
from tracking_server.entities.tags import Param, Tag
from tracking_server.errors import InvalidParameter, invalid_value

MAX_KEY = 250
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG_VALUE = 20_000
MAX_METRICS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_ITEMS = 1000
MAX_DATASET_FIELDS = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
MAX_SEARCHED_DATASETS = 100
"""Of one search of logged models: each is a condition, and engines have a limit for those."""
MAX_INPUT_TAG_KEY = 255
MAX_INPUT_TAG_VALUE = 500
MAX_SAVED_VIEWS = 50
SAVED_VIEW_PREFIX = "mlflow.customView.view"

_KEY = re.compile(r"[/\w.\- :]*")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_FORBIDDEN_IN_MODEL_NAMES = frozenset("/:.%\"'")


def check_run_id(run_id: str) -> None:
    if not _RUN_ID.fullmatch(run_id):
        raise invalid_value(
            run_id,
            "run_id",
            "a run ID starts with a letter or digit, holds only letters, digits, '_' and '-', and has at most 256"
            " characters.",
        )


def check_key(key: str, place: str = "key", noun: str = "") -> None:
    check_length(key, MAX_KEY, place, noun)
    check_characters(key, place)


def check_characters(key: str, place: str = "key") -> None:
    """The rule for keys without their length: what is asked for need not be there."""
    if not _KEY.fullmatch(key):
        raise invalid_value(
            key,
            place,
            "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and"
            " slashes (/).",
        )
    if posixpath.normpath(key) != key or key == "." or key.startswith(("/", "..")):
        raise invalid_value(
            key,
            place,
            "Names may be treated as files in certain cases, and must not resolve to other names when treated as such."
            f" This name would resolve to {shown(posixpath.normpath(key))}",
        )


def check_length(value: str, limit: int, place: str, noun: str = "") -> None:
    """`noun`: what MLflow calls the value, where that is not its place."""
    if len(value) > limit:
        raise invalid_value(
            value, place, f"'{noun or place}' exceeds the maximum length of {limit} characters: it has {len(value)}."
        )


def fitting(value: str, limit: int, place: str, *, truncate: bool) -> str:
    """The value, cut off at the limit if that is allowed."""
    if len(value) <= limit:
        return value
    if truncate:
        return value[:limit]
    check_length(value, limit, place)
    return value


def fitting_param(param: Param, *, truncate: bool, place: str = "") -> Param:
    check_key(param.key, f"{place}key", "Param key")
    value = fitting(param.value, MAX_PARAM_VALUE, f"{place}value", truncate=truncate)
    return param if value is param.value else Param(param.key, value)


def fitting_run_tag(tag: Tag, *, truncate: bool, place: str = "") -> Tag:
    check_key(tag.key, f"{place}key")
    value = fitting(tag.value, MAX_TAG_VALUE, f"{place}value", truncate=truncate)
    return tag if value is tag.value else Tag(tag.key, value)


def check_experiment_tag(tag: Tag, place: str = "") -> None:
    check_key(tag.key, f"{place}key")
    check_length(tag.value, MAX_EXPERIMENT_TAG_VALUE, f"{place}value")


def check_experiment_name(name: str, place: str = "name") -> None:
    check_length(name, MAX_EXPERIMENT_NAME, place)


def check_metric(metric: NewMetric, place: str = "") -> None:
    """A key that cannot be is told of as the `name` of the metric, as MLflow does."""
    check_key(metric.key, f"{place}name", "Metric name")
    if metric.timestamp < 0:
        raise invalid_value(
            metric.timestamp,
            f"{place}timestamp",
            f"metric {shown(metric.key)} (value={metric.value}). Timestamp must be a nonnegative long (64-bit integer),"
            " in milliseconds since the epoch.",
        )
    if bool(metric.dataset_name) != bool(metric.dataset_digest):
        raise InvalidParameter(
            f"Metric {shown(metric.key)}: Both dataset_name and dataset_digest must be provided if one is provided,"
            f" in '{place}dataset_name' and '{place}dataset_digest'."
        )


def fitting_batch(batch: LogBatch, *, truncate: bool) -> LogBatch:
    """The batch as it may be written; everything in it is looked at before anything is."""
    check_run_id(batch.run_id)
    _check_count("metrics", batch.metrics, MAX_METRICS)
    _check_count("params", batch.params, MAX_PARAMS)
    _check_count("tags", batch.tags, MAX_TAGS)
    _check_count("metrics, params, and tags", (*batch.metrics, *batch.params, *batch.tags), MAX_ITEMS)
    for index, metric in enumerate(batch.metrics):
        check_metric(metric, f"metrics[{index}].")
    params = tuple(
        fitting_param(param, truncate=truncate, place=f"params[{index}].") for index, param in enumerate(batch.params)
    )
    tags = tuple(
        fitting_run_tag(tag, truncate=truncate, place=f"tags[{index}].") for index, tag in enumerate(batch.tags)
    )
    _check_unique_params(params)
    return LogBatch(run_id=batch.run_id, metrics=batch.metrics, params=params, tags=tags)


def check_dataset_input(given: DatasetInput, place: str) -> None:
    for name, limit in MAX_DATASET_FIELDS.items():
        check_length(getattr(given.dataset, name) or "", limit, f"{place}.dataset.{name}", name)
    for index, tag in enumerate(given.tags):
        check_length(tag.key, MAX_INPUT_TAG_KEY, f"{place}.tags[{index}].key", "key")
        check_length(tag.value, MAX_INPUT_TAG_VALUE, f"{place}.tags[{index}].value", "value")


def check_model_name(name: str) -> None:
    if _FORBIDDEN_IN_MODEL_NAMES.intersection(name):
        raise InvalidParameter(
            f"Invalid model name ({shown(name)}) provided. Model name must be a non-empty string and cannot contain the"
            " following characters: ('/', ':', '.', '%', '\"', \"'\")."
        )


def shown(value: str) -> str:
    return repr(value) if len(value) <= MAX_KEY else f"{value[:MAX_KEY]!r}..."


def _check_count(noun: str, items: Sequence[object], limit: int) -> None:
    if len(items) > limit:
        raise InvalidParameter(
            f"A batch logging request can contain at most {limit} {noun}. Got {len(items)} {noun}. Please split up"
            f" {noun} across multiple requests and try again."
        )


def _check_unique_params(params: Sequence[Param]) -> None:
    keys = [param.key for param in params]
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    again = [key for index, key in enumerate(keys) if first[key] != index]
    if again:
        raise InvalidParameter(
            f"Duplicate parameter keys have been submitted: {again}. Please ensure the request contains only one param"
            " value per param key."
        )
