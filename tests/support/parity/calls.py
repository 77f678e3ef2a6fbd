"""Calls as data: what is sent to both servers, with names in place of the ids that each server makes up.

A name stands in a text as `«run1»`. A call can be written down as JSON and played again.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec

from tests.support.parity.answers import Json

API: Final = "/api/2.0/mlflow"
AJAX: Final = "/ajax-api/2.0/mlflow"
FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
PREFIX: Final = "«prefix»"
"""Starts every name that must be unique on a server. What it stands for is as long."""
_NAME: Final = re.compile("«([^»]+)»")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """`endpoint` names it in reports. A body is JSON, or bytes as they are; without one, `query` says it all."""

    endpoint: str
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    body: "Json | bytes" = None
    content_type: str = "application/json"
    keep: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names for ids in the answer, each with the path that leads to it."""
    makes: Sequence[tuple[str, Any]] = ()
    """What is there once it has succeeded: the kind, and the name by which later calls speak of it."""

    def __str__(self) -> str:
        asked = "&".join(f"{key}={value}" for key, value in self.query)
        body = self.body.decode("utf-8", "replace") if isinstance(self.body, bytes) else msgspec.json.encode(self.body)
        text = body if isinstance(body, str) else body.decode()
        return f"{self.method} {self.path}{'?' if asked else ''}{asked}{'' if self.body is None else ' ' + text}"

    def to_json(self) -> Json:
        fields: dict[str, Json] = {
            "endpoint": self.endpoint,
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "content_type": self.content_type,
            "keep": dict(self.keep),
        }
        if isinstance(self.body, bytes):
            return {**fields, "bytes": b64encode(self.body).decode()}
        return {**fields, "body": self.body}


def call_from_json(document: Mapping[str, Any]) -> Call:
    body = b64decode(document["bytes"]) if "bytes" in document else document["body"]
    return Call(
        endpoint=document["endpoint"],
        method=document["method"],
        path=document["path"],
        query=[(key, value) for key, value in document["query"]],
        body=body,
        content_type=document["content_type"],
        keep=document["keep"],
    )


def named(name: str) -> str:
    return f"«{name}»"


def send(method: str, path: str, body: Json, **more: Any) -> Call:
    """A call with a JSON body, `path` below the API's."""
    return Call(endpoint=endpoint_of(method, path), method=method, path=f"{API}/{path}", body=body, **more)


def post(path: str, body: Json, **more: Any) -> Call:
    return send("POST", path, body, **more)


def get(path: str, *query: tuple[str, str], base: str = API, **more: Any) -> Call:
    return Call(endpoint=endpoint_of("GET", path), method="GET", path=f"{base}/{path}", query=query, **more)


def endpoint_of(method: str, path: str) -> str:
    """`GET logged-models/{id}`: what is made up stands for itself."""
    return f"{method} {_NAME.sub('{id}', path)}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wire:
    """A call as it goes to one server."""

    method: str
    target: str
    body: bytes | None
    headers: Mapping[str, str]


def for_the_wire(call: Call, ids: Mapping[str, str]) -> Wire:
    fill = _filler(ids)
    asked = "&".join(f"{quote(key, safe='')}={quote(fill(value), safe='')}" for key, value in call.query)
    target = _in_a_path(fill(call.path)) + (f"?{asked}" if asked else "")
    match call.body:
        case None:
            return Wire(method=call.method, target=target, body=None, headers={})
        case bytes() as body:
            pass
        case document:
            body = fill(msgspec.json.encode(document).decode()).encode()
    headers = {"Content-Type": call.content_type} if call.content_type else {}
    return Wire(method=call.method, target=target, body=body, headers=headers)


def _in_a_path(path: str) -> str:
    """Percent escapes that a call is about stay as they are."""
    return quote(path, safe="/%:;@!$&'()*+,=~.-_")


def _filler(ids: Mapping[str, str]) -> Callable[[str], str]:
    return lambda text: _NAME.sub(lambda match: ids.get(match.group(1), match.group()), text)
