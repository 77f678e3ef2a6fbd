"""Calls of the API without a socket: through the table of routes, from JSON to JSON, on a real database."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from urllib.parse import unquote

from tracking_server.artifacts.memory import MemoryStore
from tracking_server.database.transactions import Database
from tracking_server.errors import TrackingError
from tracking_server.services.context import Context
from tracking_server.web.route import Route
from tracking_server.web.routes import TRACKING
from tracking_server.wire.raw import RawRequest

BASE: Final = "/api/2.0/mlflow/"
START: Final = 1_700_000_000_000


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, http_status: int, error_code: str, message: str) -> None:
        super().__init__(http_status, error_code, message)
        self.http_status = http_status
        self.error_code = error_code
        self.message = message


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """`post("runs/create", experiment_id="0")` answers the JSON, or raises Refusal."""

    context: Context

    def get(self, path: str, **query: str | Sequence[str]) -> Any:
        values = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
        return self.call("GET", path, query=values)

    def post(self, path: str, **fields: object) -> Any:
        return self.call("POST", path, body=fields)

    def patch(self, path: str, **fields: object) -> Any:
        return self.call("PATCH", path, body=fields)

    def delete(self, path: str, **fields: object) -> Any:
        return self.call("DELETE", path, body=fields)

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Sequence[str]] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> Any:
        route, parameters = find_route(method, path if path.startswith("/") else BASE + path)
        raw = RawRequest(
            method=method,
            path_parameters=parameters,
            query=query or {},
            body=b"" if method == "GET" else json.dumps(body or {}).encode(),
            content_type="application/json",
        )
        try:
            answer = route.service(route.decode(raw), self.context)
        except TrackingError as error:
            raise Refusal(error.http_status, error.error_code, error.message) from error
        return json.loads(route.encode(answer))


def find_route(method: str, path: str) -> tuple[Route[Any, Any], dict[str, str]]:
    for row in TRACKING:
        if isinstance(row, Route) and row.method == method:
            parameters = _match(row.path, path)
            if parameters is not None:
                return row, parameters
    raise LookupError(f"no route for {method} {path}")


def _match(pattern: str, path: str) -> dict[str, str] | None:
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    parameters: dict[str, str] = {}
    for segment, value in zip(wanted, given, strict=True):
        if segment.startswith("{"):
            parameters[segment[1:-1]] = unquote(value)
        elif segment != value:
            return None
    return parameters


def an_api(database: Database, **changes: Any) -> Api:
    """Time goes on by a second at each look, ids count up, names are all the same."""
    times, ids = count(START, 1000), count(1)
    now: Callable[[], int] = lambda: next(times)  # noqa: E731
    fields: dict[str, Any] = {
        "database": database,
        "artifact_store": MemoryStore(),
        "default_artifact_root": "mlflow-artifacts:/",
        "now": now,
        "new_id": lambda: f"{next(ids):032x}",
        "new_name": lambda: "brave-otter-7",
        **changes,
    }
    return Api(context=Context(**fields))
