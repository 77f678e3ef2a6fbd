"""What the SDKs raise, in the words of the artifact store: every class of theirs, and the codes that users meet."""

from collections.abc import Callable, Iterator

import pytest
import requests
from azure.core.exceptions import AzureError, HttpResponseError
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, SSLError
from google.api_core.exceptions import from_http_status  # pyright: ignore[reportUnknownVariableType] - no annotations
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError

from tracking_server.artifacts import azure_failures, gcs_failures, s3_failures
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    BucketMissing,
    ClockSkewed,
    RegionWrong,
    StoreChanged,
    StoreDenied,
    StoreMisconfigured,
    StoreThrottled,
    StoreUnavailable,
)
from tracking_server.errors import InvalidParameter, TrackingError

ERROR_OF: Callable[[int, str], Exception] = from_http_status  # pyright: ignore[reportUnknownVariableType] - the same
TRANSLATED = {
    "s3": s3_failures.translated,
    "gcs": gcs_failures.translated,
    "azure": azure_failures.translated,
}


def family(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for each in root.__subclasses__():
        yield from family(each)


def told(store: str, error: BaseException, action: str = "read") -> TrackingError:
    with pytest.raises(TrackingError) as caught, TRANSLATED[store]("place://bucket", action):
        raise error
    return caught.value


@pytest.mark.parametrize(("store", "root"), [("s3", BotoCoreError), ("gcs", GoogleAuthError), ("azure", AzureError)])
def test_every_class_of_an_sdk_becomes_one_of_ours(store: str, root: type[Exception]) -> None:
    for kind in family(root):
        error = kind.__new__(kind)
        if isinstance(error, HttpResponseError):
            error.status_code = None
        found = told(store, error)
        assert isinstance(found, StoreDenied | StoreMisconfigured | StoreUnavailable), kind
        assert "place://bucket" in found.message or "Azure" in found.message


@pytest.mark.parametrize(
    ("code", "status", "kind", "part"),
    [
        ("NoSuchKey", 404, ArtifactNotFound, ""),
        ("NoSuchBucket", 404, BucketMissing, "no such bucket"),
        ("AccessDenied", 403, StoreDenied, "s3:GetObject"),
        ("InvalidAccessKeyId", 403, StoreDenied, "AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", 403, StoreDenied, "AWS_SECRET_ACCESS_KEY"),
        ("ExpiredToken", 400, StoreDenied, "expired"),
        ("RequestTimeTooSkewed", 403, ClockSkewed, "clock"),
        ("PermanentRedirect", 301, RegionWrong, "AWS_DEFAULT_REGION"),
        ("AuthorizationHeaderMalformed", 400, RegionWrong, "another region"),
        ("SlowDown", 503, StoreThrottled, "fewer calls"),
        ("InternalError", 500, StoreUnavailable, "Try again"),
        ("PreconditionFailed", 412, StoreChanged, "replaced"),
        ("EntityTooLarge", 400, InvalidParameter, "larger"),
        ("NotImplemented", 501, StoreMisconfigured, "AWS_REQUEST_CHECKSUM_CALCULATION"),
        ("SomethingNew", 400, StoreMisconfigured, "SomethingNew"),
    ],
)
def test_the_codes_of_s3(code: str, status: int, kind: type[TrackingError], part: str) -> None:
    answer = {"Error": {"Code": code, "Message": "their own words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = told("s3", ClientError(answer, "GetObject"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - the parts that are looked at
    assert type(found) is kind
    assert part in found.message
    assert "their own words" not in found.message


def test_s3_before_any_answer() -> None:
    assert isinstance(told("s3", NoCredentialsError()), StoreDenied)
    untrusted = told("s3", SSLError(endpoint_url="https://s3", error=OSError("CERTIFICATE_VERIFY_FAILED")))
    assert isinstance(untrusted, StoreMisconfigured)
    assert "AWS_CA_BUNDLE" in untrusted.message
    assert isinstance(told("s3", SSLError(endpoint_url="https://s3", error=OSError("EOF occurred"))), StoreUnavailable)
    assert isinstance(told("s3", ConnectionResetError()), StoreUnavailable)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, StoreMisconfigured),
        (401, StoreDenied),
        (403, StoreDenied),
        (404, ArtifactNotFound),
        (408, StoreUnavailable),
        (412, StoreChanged),
        (429, StoreThrottled),
        (500, StoreUnavailable),
        (503, StoreUnavailable),
    ],
)
def test_the_statuses_of_google(status: int, kind: type[TrackingError]) -> None:
    found = told("gcs", ERROR_OF(status, "their own words"))
    assert type(found) is kind
    assert "their own words" not in found.message


def test_google_before_any_answer() -> None:
    assert "GOOGLE_APPLICATION_CREDENTIALS" in told("gcs", DefaultCredentialsError("their own words")).message
    assert "REQUESTS_CA_BUNDLE" in told("gcs", requests.exceptions.SSLError("their own words")).message
    assert "cannot be reached" in told("gcs", requests.exceptions.ConnectionError("their own words")).message


def test_a_clock_that_google_and_azure_find_wrong() -> None:
    token = RefreshError(
        "invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."
        " Check your iat and exp values in the JWT claim."
    )
    assert type(told("gcs", token)) is ClockSkewed
    error = HttpResponseError(
        "Server failed to authenticate the request."
        " AuthenticationErrorDetail:Request date header too old: 'Wed, 01 Jan'"
    )
    error.status_code = 403
    error.error_code = "AuthenticationFailed"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - the SDK adds it
    found = told("azure", error)
    assert type(found) is ClockSkewed
    assert "01 Jan" not in found.message


@pytest.mark.parametrize(
    ("code", "status", "kind", "part"),
    [
        ("BlobNotFound", 404, ArtifactNotFound, ""),
        ("ContainerNotFound", 404, BucketMissing, "no such container"),
        ("AuthenticationFailed", 403, StoreDenied, "wrong or expired"),
        ("AuthorizationPermissionMismatch", 403, StoreDenied, "Storage Blob Data Reader"),
        ("InvalidAuthenticationInfo", 401, StoreDenied, "expired"),
        ("ServerBusy", 503, StoreThrottled, "fewer calls"),
        ("InternalError", 500, StoreUnavailable, "Try again"),
        ("ConditionNotMet", 412, StoreChanged, "replaced"),
        ("InvalidBlockList", 400, StoreUnavailable, "another one"),
        ("SomethingNew", 400, StoreMisconfigured, "SomethingNew"),
    ],
)
def test_the_codes_of_azure(code: str, status: int, kind: type[TrackingError], part: str) -> None:
    error = HttpResponseError("their own words")
    error.status_code = status
    error.error_code = code  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue] - the SDK adds it
    found = told("azure", error)
    assert type(found) is kind
    assert part in found.message
    assert "their own words" not in found.message
