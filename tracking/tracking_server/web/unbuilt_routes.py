"""Calls of the contract that this release does not answer yet: each says so, lest it is taken for a wrong address.

The status is 501, which the MLflow client does not repeat.
"""

from collections.abc import Callable
from typing import Final, NoReturn

from tracking_server.errors import NotImplementedHere
from tracking_server.services.context import Context
from tracking_server.web.route import Method, Route, Row
from tracking_server.wire.encode import encode
from tracking_server.wire.raw import RawRequest

_BASE: Final = "/api/2.0/mlflow"

_MODELS: Final = f"{_BASE}/registered-models"
_VERSIONS: Final = f"{_BASE}/model-versions"
_WEBHOOKS: Final = f"{_BASE}/webhooks"

_REGISTRY: Final[tuple[tuple[Method, str], ...]] = (
    ("POST", f"{_MODELS}/create"),
    ("POST", f"{_MODELS}/rename"),
    ("PATCH", f"{_MODELS}/update"),
    ("DELETE", f"{_MODELS}/delete"),
    ("GET", f"{_MODELS}/get"),
    ("GET", f"{_MODELS}/search"),
    ("POST", f"{_MODELS}/get-latest-versions"),
    ("GET", f"{_MODELS}/get-latest-versions"),
    ("POST", f"{_MODELS}/set-tag"),
    ("DELETE", f"{_MODELS}/delete-tag"),
    ("POST", f"{_MODELS}/alias"),
    ("DELETE", f"{_MODELS}/alias"),
    ("GET", f"{_MODELS}/alias"),
    ("POST", f"{_VERSIONS}/create"),
    ("PATCH", f"{_VERSIONS}/update"),
    ("POST", f"{_VERSIONS}/transition-stage"),
    ("DELETE", f"{_VERSIONS}/delete"),
    ("GET", f"{_VERSIONS}/get"),
    ("GET", f"{_VERSIONS}/search"),
    ("GET", f"{_VERSIONS}/get-download-uri"),
    ("POST", f"{_VERSIONS}/set-tag"),
    ("DELETE", f"{_VERSIONS}/delete-tag"),
    ("GET", "/model-versions/get-artifact"),
)
_HOOKS: Final[tuple[tuple[Method, str], ...]] = (
    ("POST", _WEBHOOKS),
    ("GET", _WEBHOOKS),
    ("GET", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("PATCH", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("DELETE", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("POST", f"{_WEBHOOKS}/{{webhook_id}}/test"),
)


_INSTEAD: Final = (
    "It has experiments, runs, metrics, params, tags, datasets, artifacts and logged models: log a model without a"
    " registered name, and load it by its URI models:/<model id> or runs:/<run id>/<path>."
)


def _refusing(what: str) -> Callable[[RawRequest, Context], NoReturn]:
    def refuse(_request: RawRequest, _context: Context) -> NoReturn:
        raise NotImplementedHere(f"This release of Trackplane does not have {what} yet. {_INSTEAD}")

    return refuse


def _as_it_came(raw: RawRequest) -> RawRequest:
    return raw


def _rows(calls: tuple[tuple[Method, str], ...], what: str) -> tuple[Row, ...]:
    refuse = _refusing(what)
    return tuple(
        Route(method=method, path=path, decode=_as_it_came, service=refuse, encode=encode) for method, path in calls
    )


UNBUILT_ROWS: Final[tuple[Row, ...]] = (*_rows(_REGISTRY, "the model registry"), *_rows(_HOOKS, "webhooks"))
