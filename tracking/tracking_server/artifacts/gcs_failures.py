"""What google-cloud-storage raises, told in the words of the artifact store: which kind it is, and what to do.

No text of an answer reaches a message: it may name accounts.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from urllib3.exceptions import HTTPError

from tracking_server.artifacts.refusals import because, told
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    BucketMissing,
    ClockSkewed,
    StoreChanged,
    StoreDenied,
    StoreMisconfigured,
    StoreThrottled,
    StoreUnavailable,
    StoreUntrusted,
)
from tracking_server.errors import TrackingError

_OTHER_TIME: Final = "reasonable timeframe"
"""In what Google's token service says to a request that was made at another time than its own."""

_OF_GOOGLE: Final = (GoogleAPICallError, RetryError, GoogleAuthError, InvalidResponse, DataCorruption)

PERMISSIONS: Final[Mapping[str, str]] = {
    "read": "storage.objects.get",
    "write": "storage.objects.create and, to replace a file, storage.objects.delete",
    "list": "storage.objects.list",
    "delete": "storage.objects.delete",
    "sign": "iam.serviceAccounts.signBlob on its own service account",
}


_STATUSES: Final[Mapping[int, tuple[Callable[[str], TrackingError], str]]] = {
    401: (StoreDenied, "{uri} refuses the credentials of the server: they are wrong or expired (401)."),
    403: (StoreDenied, "{uri} refuses: the server may not {action} there: it needs {permission} (403)."),
    404: (ArtifactNotFound, "{uri} has no such object or upload."),
    408: (StoreUnavailable, "{uri} failed to {action} (408). Try again."),
    412: (StoreChanged, "The file was replaced while it was read. Begin again."),
    429: (StoreThrottled, "{uri} wants fewer calls (429). Try again."),
}
_KINDS: Final[Sequence[tuple[type[Exception], Callable[[str], TrackingError], str]]] = (
    (DataCorruption, StoreUnavailable, "What {uri} got or sent does not have its checksum. Try again."),
    (TransportError, StoreUnavailable, "The token service for {uri} cannot be reached{because}. Try again."),
    (
        DefaultCredentialsError,
        StoreDenied,
        "{uri}: the server has no credentials for Google: set GOOGLE_APPLICATION_CREDENTIALS or STORAGE_EMULATOR_HOST.",
    ),
    (
        RefreshError,
        StoreDenied,
        "{uri}: Google gives no token: the credentials are wrong, expired or withdrawn.",
    ),
    (GoogleAuthError, StoreDenied, "{uri}: the credentials of the server do not work ({kind})."),
    (
        requests.exceptions.SSLError,
        StoreUntrusted,
        "{uri}: the certificate of the store is not one that the server trusts: set REQUESTS_CA_BUNDLE.",
    ),
    (
        requests.exceptions.ConnectionError,
        StoreUnavailable,
        "{uri} cannot be reached{because}: check MLFLOW_GCS_ENDPOINT or STORAGE_EMULATOR_HOST, and the network.",
    ),
    (Exception, StoreUnavailable, "The connection to {uri} broke off, or nothing came any more. Try again."),
)


@contextmanager
def translated(uri: str, action: str) -> Generator[None]:
    try:
        yield
    except (*_OF_GOOGLE, requests.RequestException, HTTPError, OSError) as error:
        raise told(_translate(error, uri, action), uri, action) from error


def of_status(status: int, uri: str, action: str) -> TrackingError:
    if status in _STATUSES:
        make, text = _STATUSES[status]
        return make(text.format(uri=uri, action=action, permission=PERMISSIONS[action]))
    if status >= 500:
        return StoreUnavailable(f"{uri} failed to {action} ({status}). Try again.")
    return StoreMisconfigured(f"{uri} does not take the call to {action} ({status}): check the name of the bucket.")


def missing_bucket(uri: str) -> BucketMissing:
    return BucketMissing(f"{uri}: there is no such bucket: make it, or correct the artifact root (404).")


def _translate(error: BaseException, uri: str, action: str) -> TrackingError:
    match error:
        case GoogleAPICallError(code=400) if "doesn't match calculated" in str(error):
            return StoreUnavailable(f"What {uri} got does not have its checksum. Try again.")
        case GoogleAPICallError():
            return of_status(int(error.code or 0), uri, action)
        case InvalidResponse():
            return of_status(error.response.status_code, uri, action)
        case RefreshError() if _OTHER_TIME in str(error):
            return ClockSkewed(f"{uri}: Google gives no token: the clock of the server is wrong: set it by NTP.")
        case RetryError():
            cause: BaseException = error.cause
            return _translate(cause, uri, action)
        case _:
            make, text = next((make, text) for kind, make, text in _KINDS if isinstance(error, kind))
            return make(text.format(uri=uri, kind=type(error).__name__, because=because(error)))
