"""What a row of the route table says; `routes.py` is the table, `app.py` serves it.

A path that starts with `/api/` is served below `/ajax-api/` as well, for the browser. `{name}` in a path stands for one
segment; `{name*}`, at the end only, for all that is left, slashes included.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

import msgspec

from tracking_server.wire.decode import decoder
from tracking_server.wire.encode import encode
from tracking_server.wire.raw import RawRequest

if TYPE_CHECKING:
    from tracking_server.artifacts.store import Place
    from tracking_server.gateway.upstream import Upstream
    from tracking_server.services.context import Context

Method: TypeAlias = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
RequestT = TypeVar("RequestT")
Shape = TypeVar("Shape", bound=msgspec.Struct)
Answer = TypeVar("Answer", bound=msgspec.Struct)
AnswerT = TypeVar("AnswerT")

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BODY_LIMIT_BYTES = 64 * 1024 * 1024
"""What a JSON body may have at most: far above 1,000 items at their longest, far below what hurts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route(Generic[RequestT, AnswerT]):
    """A call: bytes to a request, the request to an answer (in a thread), the answer to bytes."""

    method: Method
    path: str
    decode: Callable[[RawRequest], RequestT]
    service: "Callable[[RequestT, Context], AnswerT]"
    encode: Callable[[AnswerT], bytes]
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body_limit_bytes: int = BODY_LIMIT_BYTES
    asks_database: bool = True
    """One that asks a store alone runs in the pool of transfers."""


def call(
    method: Method,
    path: str,
    shape: type[Shape],
    service: "Callable[[Shape, Context], Answer]",
    *,
    repeated_in_body: Iterable[str] = (),
    asks_database: bool = True,
) -> Route[Shape, Answer]:
    """A row of JSON to JSON, as nearly all are: `shape` is read from path, query and body."""
    return Route(
        method=method,
        path=path,
        decode=decoder(shape, repeated_in_body=repeated_in_body),
        service=service,
        encode=encode,
        asks_database=asks_database,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed:
    """An answer that is known before the question: it waits for nothing."""

    path: str
    body: bytes
    content_type: str = TEXT
    method: Method = "GET"
    is_for_probes: bool = False
    """Those of Kubernetes call by address, so for any Host, and often, so without a line in the log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """Whether the server can work: 200 when `check` returns within the budget, 503 if not."""

    path: str
    check: "Callable[[Context], None]"
    budget_seconds: float
    method: Method = "GET"


@dataclass(frozen=True, kw_only=True, slots=True)
class Download(Generic[RequestT]):
    """A file out of a store. HEAD, Range and conditional requests come with it."""

    path: str
    decode: Callable[[RawRequest], RequestT]
    locate: "Callable[[RequestT, Context], Place]"
    asks_database: bool
    """Whether `locate` does, and so has to run in the core pool."""
    method: Method = "GET"


@dataclass(frozen=True, kw_only=True, slots=True)
class Upload(Generic[RequestT]):
    """The body into a file of a store. The answer is `{}`."""

    method: Method
    path: str
    decode: Callable[[RawRequest], RequestT]
    locate: "Callable[[RequestT, Context], Place]"
    asks_database: bool
    body_limit_bytes: int | None = None
    takes_nothing: bool = True
    """Whether an empty body is an empty file, or a mistake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Forwarded:
    """What another server answers. Its body is a file that comes in parts when `is_upload`, else it is held."""

    method: Method
    path: str
    upstream: "Upstream"
    is_download: bool = False
    is_upload: bool = False
    body_limit_bytes: int | None = BODY_LIMIT_BYTES


Row: TypeAlias = Route[Any, Any] | Fixed | Probe | Download[Any] | Upload[Any] | Forwarded
