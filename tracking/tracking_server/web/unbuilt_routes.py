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

_WEBHOOKS: Final = f"{_BASE}/webhooks"

_HOOKS: Final[tuple[tuple[Method, str], ...]] = (
    ("POST", _WEBHOOKS),
    ("GET", _WEBHOOKS),
    ("GET", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("PATCH", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("DELETE", f"{_WEBHOOKS}/{{webhook_id}}"),
    ("POST", f"{_WEBHOOKS}/{{webhook_id}}/test"),
)


def _refusing(what: str) -> Callable[[RawRequest, Context], NoReturn]:
    def refuse(_request: RawRequest, _context: Context) -> NoReturn:
        raise NotImplementedHere(f"This release of Trackplane does not have {what} yet.")

    return refuse


def _as_it_came(raw: RawRequest) -> RawRequest:
    return raw


def _rows(calls: tuple[tuple[Method, str], ...], what: str) -> tuple[Row, ...]:
    refuse = _refusing(what)
    return tuple(
        Route(method=method, path=path, decode=_as_it_came, service=refuse, encode=encode) for method, path in calls
    )


UNBUILT_ROWS: Final[tuple[Row, ...]] = _rows(_HOOKS, "webhooks")
