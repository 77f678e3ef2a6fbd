import inspect

import msgspec
import pytest

from tracking_server import errors
from tracking_server.artifacts.store import RangeNotSatisfiable
from tracking_server.web.failures import BodyTooLarge, MethodNotAllowed, failure_response, internal_error


@pytest.mark.parametrize(
    ("error", "status", "code", "sqlstate", "error_class"),
    [
        (errors.InvalidParameter("m"), 400, "INVALID_PARAMETER_VALUE", "KAM00", "INVALID_PARAMETER_VALUE"),
        (errors.BadRequest("m"), 400, "BAD_REQUEST", "KAM00", "INVALID_PARAMETER_VALUE"),
        (errors.AlreadyExists("m"), 400, "RESOURCE_ALREADY_EXISTS", "KAM00", "RESOURCE_ALREADY_EXISTS"),
        (errors.DoesNotExist("m"), 404, "RESOURCE_DOES_NOT_EXIST", "KAM00", "RESOURCE_NOT_FOUND"),
        (errors.EndpointNotFound("m"), 404, "ENDPOINT_NOT_FOUND", "KAM00", "RESOURCE_NOT_FOUND"),
        (errors.PermissionDenied("m"), 403, "PERMISSION_DENIED", "KAM00", "PERMISSION_DENIED"),
        (errors.InvalidState("m"), 400, "INVALID_STATE", "XXM00", ""),
        (errors.TemporarilyUnavailable("m"), 503, "TEMPORARILY_UNAVAILABLE", "XXM00", ""),
        (errors.NotImplementedHere("m"), 501, "NOT_IMPLEMENTED", "", ""),
        (BodyTooLarge(10), 400, "INVALID_PARAMETER_VALUE", "KAM00", "INVALID_PARAMETER_VALUE"),
    ],
)
def test_the_shape_that_the_client_reads(
    error: errors.TrackingError, status: int, code: str, sqlstate: str, error_class: str
) -> None:
    response = failure_response(error)
    told = {"error_code": code, "message": error.message, "sqlstate": sqlstate, "error_class": error_class}
    assert response.status == status
    assert msgspec.json.decode(response.body) == {key: value for key, value in told.items() if value}


def test_headers_that_say_what_to_do_next() -> None:
    assert failure_response(errors.TemporarilyUnavailable("m", retry_after_seconds=7)).headers == (
        (b"retry-after", b"7"),
    )
    assert failure_response(MethodNotAllowed("PUT", "/x", ("GET", "HEAD"))).headers == ((b"allow", b"GET, HEAD"),)
    assert failure_response(RangeNotSatisfiable(10)).headers == ((b"content-range", b"bytes */10"),)


def test_a_message_with_a_lone_surrogate_can_be_sent() -> None:
    message: str = msgspec.json.decode(failure_response(errors.InvalidParameter("bad \ud800 text")).body)["message"]
    assert message == "bad \\ud800 text"


def test_an_unexpected_error_tells_its_request_and_nothing_else() -> None:
    response = internal_error("abc")
    told = msgspec.json.decode(response.body)
    assert response.status == 500
    assert told["error_code"] == "INTERNAL_ERROR"
    assert "abc" in told["message"]


def test_every_error_of_the_server_has_an_answer() -> None:
    family = [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.TrackingError) and kind is not errors.TrackingError
    ]
    assert len(family) >= 10
    for kind in family:
        assert 400 <= failure_response(kind("m")).status <= 599
