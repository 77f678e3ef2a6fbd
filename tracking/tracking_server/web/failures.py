"""An error to the answer that tells of it, in the shape that the MLflow client reads; pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tracking_server.artifacts.store import RangeNotSatisfiable
from tracking_server.errors import InvalidParameter, TemporarilyUnavailable, TrackingError
from tracking_server.web.responses import Response


class MethodNotAllowed(TrackingError):
    error_code = "BAD_REQUEST"
    http_status = 405

    def __init__(self, method: str, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{path} does not take {method}; it takes {', '.join(allowed)}.")
        self.allowed = allowed


class BodyTooLarge(InvalidParameter):
    """400 and not 413: as every limit of the API is answered."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes, the most that this path takes.")


_SHOWN_CHARACTERS: Final = 1000
"""Of a message that is too long, at each of its ends."""

SERVER_FAULTS: Final = frozenset({"INTERNAL_ERROR", "INVALID_STATE", "TEMPORARILY_UNAVAILABLE"})
USER_FAULT_SQLSTATE: Final = "KAM00"
SERVER_FAULT_SQLSTATE: Final = "XXM00"
ERROR_CLASSES: Final[Mapping[str, str]] = {
    "INVALID_PARAMETER_VALUE": "INVALID_PARAMETER_VALUE",
    "BAD_REQUEST": "INVALID_PARAMETER_VALUE",
    "RESOURCE_DOES_NOT_EXIST": "RESOURCE_NOT_FOUND",
    "NOT_FOUND": "RESOURCE_NOT_FOUND",
    "ENDPOINT_NOT_FOUND": "RESOURCE_NOT_FOUND",
    "RESOURCE_ALREADY_EXISTS": "RESOURCE_ALREADY_EXISTS",
    "PERMISSION_DENIED": "PERMISSION_DENIED",
    "CUSTOMER_UNAUTHORIZED": "PERMISSION_DENIED",
}
SQLSTATES: Final[Mapping[str, str]] = {
    **dict.fromkeys(ERROR_CLASSES, USER_FAULT_SQLSTATE),
    **dict.fromkeys(SERVER_FAULTS, SERVER_FAULT_SQLSTATE),
}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    error_code: str
    message: str
    sqlstate: str = ""
    error_class: str = ""


def failure_response(error: TrackingError) -> Response:
    body = ErrorBody(
        error_code=error.error_code,
        message=_shortened(error.message),
        sqlstate=SQLSTATES.get(error.error_code, ""),
        error_class=ERROR_CLASSES.get(error.error_code, ""),
    )
    return Response(status=error.http_status, body=_encoded(body), headers=_headers(error))


def internal_error(request_id: str) -> Response:
    """Nothing of what happened: the log has it, under the same id."""
    body = ErrorBody(
        error_code="INTERNAL_ERROR",
        message=f"The server made a mistake. Its log has the details under the request id {request_id}.",
        sqlstate=SERVER_FAULT_SQLSTATE,
    )
    return Response(status=500, body=_encoded(body))


def _shortened(message: str) -> str:
    """What somebody sent is repeated, but not all of it."""
    left_out = len(message) - 2 * _SHOWN_CHARACTERS
    if left_out <= 0:
        return message
    return f"{message[:_SHOWN_CHARACTERS]}... ({left_out} characters) ...{message[-_SHOWN_CHARACTERS:]}"


def _encoded(body: ErrorBody) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:  # a lone surrogate that somebody sent and a message repeats
        plain = body.message.encode("ascii", "backslashreplace").decode()
        return msgspec.json.encode(msgspec.structs.replace(body, message=plain))


def _headers(error: TrackingError) -> tuple[tuple[bytes, bytes], ...]:
    match error:
        case TemporarilyUnavailable(retry_after_seconds=seconds):
            return ((b"retry-after", str(seconds).encode()),)
        case MethodNotAllowed(allowed=allowed):
            return ((b"allow", ", ".join(allowed).encode()),)
        case RangeNotSatisfiable(size_bytes=size_bytes):
            return ((b"content-range", f"bytes */{size_bytes}".encode()),)
        case _:
            return ()
