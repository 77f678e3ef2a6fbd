"""The one list of differences from MLflow's server that are meant. Everything else is a fault of ours.

A quirk is matched narrowly: by the call, and by what both servers said. docs/reference/quirks.md lists the same names.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from tests.support.parity.servers import Exchange


@dataclass(frozen=True, kw_only=True, slots=True)
class Quirk:
    """`parts`: whether the servers hold different things from then on, so that what follows means nothing.

    `is_silent`: the answers are equal all the same.
    """

    name: str
    why: str
    matches: Callable[[Exchange], bool]
    parts: bool = False
    is_silent: bool = False


def _refused(exchange: Exchange, code: str = "INVALID_PARAMETER_VALUE", status: int = 400) -> bool:
    return (exchange.ours.status, exchange.ours.error_code) == (status, code)


def _failed(exchange: Exchange) -> bool:
    """MLflow's server said that it made a mistake, as a page for people or with a code."""
    return exchange.theirs.status == 500 and exchange.theirs.error_code in {"", "INTERNAL_ERROR", "INVALID_STATE"}


def _calls(exchange: Exchange, *endpoints: str) -> bool:
    return exchange.call.endpoint in endpoints


def _body(exchange: Exchange) -> dict[str, Any]:
    return exchange.call.body if isinstance(exchange.call.body, dict) else {}


def _query(exchange: Exchange, name: str) -> str | None:
    return dict(exchange.call.query).get(name)


def _has_a_key_twice(exchange: Exchange) -> bool:
    """Also a name of a run that is given and tagged as empty: MLflow's server adds a second tag."""
    if {"key": "mlflow.runName", "value": ""} in (_body(exchange).get("tags") or []):
        return True
    return any(len(set(keys)) < len(keys) for keys in (_keys(exchange, "tags"), _keys(exchange, "params")))


def _view_of(exchange: Exchange) -> object:
    return _body(exchange).get("view_type", _body(exchange).get("run_view_type"))


def _keys(exchange: Exchange, name: str) -> list[str]:
    pairs = _body(exchange).get(name)
    if not isinstance(pairs, list):
        return []
    return [str(pair.get("key")) for pair in cast("list[dict[str, Any]]", pairs)]


_FILE_WRITES: Final = ("PUT mlflow-artifacts/artifacts/{path}", "POST upload-artifact")
_TYPE_FAULT: Final = re.compile(r"^Invalid value .* for parameter '[^']+' supplied: (?:Expected|expected) ", re.DOTALL)

_BEYOND_MLFLOW: Final = re.compile(r"\bOR\b|\bNOT\b(?! IN| NULL)|^\(| \(", re.IGNORECASE)

_OF_A_VALUE: Final = re.compile(
    r"(?:Invalid|Missing) value |Invalid (?:Model Version stage|webhook)|Webhook |Both |A batch |Duplicate param"
)
_KIND: Final = 12
"""Characters by which messages of different kinds differ."""
_PLACE: Final = re.compile(r"for (?:required )?parameter '([^']+)'")

QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk(
        name="a mistake of the user is never a failure of the server",
        why="Clients repeat a 500 for minutes. Where MLflow's server gives a code with it, that code is kept.",
        matches=lambda exchange: (
            _failed(exchange)
            and exchange.ours.status in {400, 404}
            and exchange.theirs.error_code in {exchange.ours.error_code, "", "INTERNAL_ERROR"}
        ),
    ),
    Quirk(
        name="filters have OR, NOT and parentheses",
        why="An extension: MLflow's server refuses them, and what it takes means the same here.",
        matches=lambda exchange: (
            exchange.ours.is_success
            and exchange.theirs.error_code == "INVALID_PARAMETER_VALUE"
            and _BEYOND_MLFLOW.search(str(_body(exchange).get("filter") or _query(exchange, "filter"))) is not None
        ),
    ),
    Quirk(
        name="LIKE and ILIKE may be written in any case",
        why="As in all other searches; in those of experiments MLflow's server wants upper case.",
        matches=lambda exchange: (
            _calls(exchange, "POST experiments/search", "GET experiments/search")
            and exchange.ours.is_success
            and re.match(r"Invalid comparator 'i?like' ", exchange.theirs.message, re.IGNORECASE) is not None
        ),
    ),
    Quirk(
        name="what cannot be read as the type of its field is refused",
        why="MLflow's server ignores some of it, and stores or finds something else than what was asked for.",
        matches=lambda exchange: (
            _refused(exchange)
            and _TYPE_FAULT.match(exchange.ours.message) is not None
            and exchange.theirs.status in {200, 400, 404}
        ),
        parts=True,
    ),
    Quirk(
        name="what is logged in one call is stored as a whole or not at all",
        why="MLflow's server commits params, metrics and tags one by one, and keeps what came before a failure.",
        matches=lambda exchange: (
            _calls(exchange, "POST runs/log-batch", "POST runs/log-metric")
            and exchange.ours.error_code == exchange.theirs.error_code == "BAD_REQUEST"
        ),
        parts=True,
        is_silent=True,
    ),
    Quirk(
        name="the last of two tags with one key counts",
        why="As in every other call that takes tags; MLflow's server refuses it in the calls that create something.",
        matches=lambda exchange: (
            _calls(exchange, "POST runs/create", "POST logged-models", "POST experiments/create")
            and exchange.ours.is_success
            and exchange.theirs.error_code in {"BAD_REQUEST", "RESOURCE_ALREADY_EXISTS"}
            and _has_a_key_twice(exchange)
        ),
        parts=True,
    ),
    Quirk(
        name="the id in the path counts",
        why="MLflow's server takes the one in the body, where there is one.",
        matches=lambda exchange: (
            exchange.call.path.startswith("/api/2.0/mlflow/logged-models/")
            and str(_body(exchange).get("model_id", "")) not in exchange.call.path
            and exchange.ours.is_success
            and exchange.theirs.error_code == "RESOURCE_DOES_NOT_EXIST"
        ),
        parts=True,
    ),
    Quirk(
        name="an unknown view type is the default one",
        why="MLflow's server then does not read the fields behind it either.",
        matches=lambda exchange: (
            bool(exchange.differences)
            and _calls(exchange, "POST experiments/search", "GET experiments/search", "POST runs/search")
            and isinstance(_view_of(exchange), int)
            and _view_of(exchange) not in {1, 2, 3}
            and exchange.ours.is_success
        ),
    ),
    Quirk(
        name="a null is a field that is not given",
        why="MLflow's server fails where it expects a list.",
        matches=lambda exchange: exchange.ours.is_success and _failed(exchange) and None in _body(exchange).values(),
        parts=True,
    ),
    Quirk(
        name="keys are never empty",
        why="MLflow's server takes an empty key for tags and params of what is being created.",
        matches=lambda exchange: (
            _refused(exchange)
            and re.match(r"Missing value for required parameter '(?:tags|params)\[\d+\]\.key'", exchange.ours.message)
            is not None
            and exchange.theirs.status in {200, 400, 404}
        ),
        parts=True,
    ),
    Quirk(
        name="the key of a metric is never empty",
        why="MLflow's server has no metric of that name, and answers get-history-bulk with none.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.endswith("must specify a metric_key.")
            and exchange.theirs.is_success
        ),
    ),
    Quirk(
        name="the id of an experiment is written in digits",
        why="MLflow's server takes what Python's int() takes, such as ' 0'.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.startswith("Invalid experiment ID ")
            and exchange.theirs.status in {200, 404}
        ),
    ),
    Quirk(
        name="NaN is a text in every answer",
        why="A bare NaN, which get-history-bulk of MLflow's server writes, is not JSON.",
        matches=lambda exchange: (
            _calls(exchange, "GET metrics/get-history-bulk")
            and bool(exchange.differences)
            and all(
                difference.ours == "NaN" and difference.theirs != difference.theirs
                for difference in exchange.differences
            )
        ),
    ),
    Quirk(
        name="what is longer than its column is refused",
        why="On PostgreSQL and MySQL, by MLflow's server too; SQLite keeps every length.",
        matches=lambda exchange: (
            _refused(exchange, "BAD_REQUEST")
            and re.search("it is too long, out of range or not text|the database keeps at most", exchange.ours.message)
            is not None
            and (exchange.theirs.is_success or exchange.theirs.error_code == "RESOURCE_ALREADY_EXISTS")
        ),
        parts=True,
    ),
    Quirk(
        name="an empty file has a size",
        why="It is 0; MLflow's server leaves it out, as it does for a folder.",
        matches=lambda exchange: (
            exchange.ours.is_success
            and all(
                re.fullmatch(r"files\[\d+\]\.file_size", difference.place) and difference.ours == 0
                for difference in exchange.differences
            )
        ),
    ),
    Quirk(
        name="every error has a code",
        why="MLflow's server answers some with a page for people.",
        matches=lambda exchange: (
            exchange.ours.status == exchange.theirs.status in {400, 405}
            and exchange.ours.error_code in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
            and not exchange.theirs.error_code
        ),
    ),
    Quirk(
        name="of several mistakes another is named",
        why="What a request holds is looked at before what is stored, and all of it in the order of its fields.",
        matches=lambda exchange: (
            exchange.theirs.error_code in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_DOES_NOT_EXIST"}
            and exchange.ours.error_code in {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
            and _OF_A_VALUE.match(exchange.ours.message) is not None
            and (
                exchange.theirs.error_code == "RESOURCE_DOES_NOT_EXIST"
                or exchange.ours.message[:_KIND] != exchange.theirs.message[:_KIND]
                or _PLACE.findall(exchange.ours.message) != _PLACE.findall(exchange.theirs.message)
            )
        ),
    ),
    Quirk(
        name="a run_id that is missing is said to be missing",
        why="Some calls of MLflow's server look for the run without a name.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.startswith("Missing value for required parameter 'run_id'")
            and exchange.theirs.message == "Run with id= not found"
        ),
    ),
    Quirk(
        name="an empty path is a missing one",
        why="MLflow's server looks for a file without a name, or gives another code than for all that is missing.",
        matches=lambda exchange: (
            _calls(exchange, "GET get-artifact", "GET logged-models/{id}/artifacts/files")
            and "" in {_query(exchange, "path"), _query(exchange, "artifact_file_path")}
            and _refused(exchange)
            and exchange.theirs.status in {400, 404}
        ),
    ),
    Quirk(
        name="an empty segment of a path is refused",
        why="No file can be stored below it. MLflow's server lists it as an empty folder.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.endswith("it has an empty segment.")
            and exchange.theirs.status in {200, 404}
        ),
    ),
    Quirk(
        name="the path of a file does not end in a slash",
        why="MLflow's server looks for it, or answers with a page for people.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.endswith("it ends in a slash.")
            and exchange.theirs.status in {400, 404}
        ),
    ),
    Quirk(
        name="a key of a filter follows its dot",
        why="MLflow's server takes `params.` for a param without a name, which there cannot be.",
        matches=lambda exchange: (
            _refused(exchange)
            and exchange.ours.message.endswith("a key follows the dot directly.")
            and exchange.theirs.is_success
        ),
    ),
    Quirk(
        name="a status that is none is missing where one is required",
        why="MLflow's server forgets the status of a logged model when it does not know the new one.",
        matches=lambda exchange: (
            _calls(exchange, "PATCH logged-models/{id}")
            and exchange.ours.message.startswith("Missing value for required parameter 'status'")
            and exchange.theirs.is_success
        ),
        parts=True,
    ),
    Quirk(
        name="a page has at least one result",
        why="registered-models/search of MLflow's server takes 0, which is nowhere else a page.",
        matches=lambda exchange: (
            _calls(exchange, "GET registered-models/search")
            and _query(exchange, "max_results") == "0"
            and _refused(exchange)
            and exchange.theirs.is_success
        ),
    ),
    Quirk(
        name="files outside of the configured stores are not read",
        why="MLflow's server lists any local folder that an experiment names as its location.",
        matches=lambda exchange: (
            _refused(exchange, "NOT_IMPLEMENTED", 501) and exchange.theirs.status in {200, 404, 500}
        ),
    ),
)


def quirk_of(exchange: Exchange) -> Quirk | None:
    """Of equal answers too, where what is stored differs all the same."""
    is_silent = not exchange.differences
    return next((quirk for quirk in QUIRKS if quirk.is_silent == is_silent and quirk.matches(exchange)), None)
