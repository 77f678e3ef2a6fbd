"""What azure-storage-blob and azure-identity raise, told in the words of the artifact store: its kind, and what to do.

Only the code of an answer reaches a message. Its text may name accounts, and its address may hold a signature.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import requests
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

from tracking_server.artifacts.refusals import because, told
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    BucketMissing,
    ClockSkewed,
    RangeNotSatisfiable,
    StoreChanged,
    StoreDenied,
    StoreMisconfigured,
    StoreThrottled,
    StoreUnavailable,
    StoreUntrusted,
    WrongKind,
)
from tracking_server.errors import InvalidParameter, TrackingError

PERMISSIONS: Final[Mapping[str, str]] = {
    "read": "the role Storage Blob Data Reader, or r in the signature",
    "write": "the role Storage Blob Data Contributor, or c, w and d in the signature",
    "list": "the role Storage Blob Data Reader, or l in the signature",
    "delete": "the role Storage Blob Data Contributor, or d in the signature",
    "sign": "the role Storage Blob Delegator",
}
_CODES: Final[Mapping[str, tuple[Callable[[str], TrackingError], str]]] = {
    "BlobNotFound": (ArtifactNotFound, "{uri} has no such blob."),
    "ContainerNotFound": (
        BucketMissing,
        "{uri}: there is no such container: make it, or correct the artifact root ({code}).",
    ),
    "ContainerBeingDeleted": (StoreMisconfigured, "{uri}: the container is being deleted ({code})."),
    "InvalidResourceName": (StoreMisconfigured, "{uri}: that is no name of a container or blob ({code})."),
    "AccountIsDisabled": (StoreDenied, "{uri} refuses: the account is disabled ({code})."),
    "AuthenticationFailed": (
        StoreDenied,
        "{uri} refuses: the key, signature or token of the server is wrong or expired ({code}).",
    ),
    "InvalidAuthenticationInfo": (
        StoreDenied,
        "{uri} refuses: the token of the server is not valid or has expired ({code}).",
    ),
    "BlobArchived": (StoreDenied, "{uri}: the blob is archived: bring it to an online tier first ({code})."),
    "PublicAccessNotPermitted": (StoreDenied, "{uri} refuses: the server has no credentials for it ({code})."),
    "ConditionNotMet": (StoreChanged, "The file was replaced while it was read. Begin again."),
    "BlobImmutableDueToPolicy": (StoreDenied, "{uri} refuses: the blob may not be changed or deleted yet ({code})."),
    "LeaseIdMissing": (StoreDenied, "{uri} refuses: somebody holds a lease of the blob ({code})."),
    "InvalidBlockList": (
        StoreUnavailable,
        "{uri} has not all blocks of the upload: another one to the same path ended meanwhile ({code}). Try again.",
    ),
    "InvalidBlobOrBlock": (
        StoreUnavailable,
        "{uri} mixes up two uploads to the same path ({code}). Try again.",
    ),
    "Md5Mismatch": (StoreUnavailable, "What {uri} got does not have its checksum ({code}). Try again."),
    "ServerBusy": (StoreThrottled, "{uri} wants fewer calls ({code}). Try again."),
    "OperationTimedOut": (StoreThrottled, "{uri} wants fewer calls ({code}). Try again."),
    "RequestBodyTooLarge": (InvalidParameter, "The file is larger than the store takes."),
    "PathConflict": (WrongKind, "A part of the path is a file, or the last part is a folder."),
    "ResourceTypeMismatch": (WrongKind, "A part of the path is a file, or the last part is a folder."),
    "DirectoryIsNotEmpty": (WrongKind, "The folder is not empty."),
}
_STATUSES: Final[Mapping[int, tuple[Callable[[str], TrackingError], str]]] = {
    401: (StoreDenied, "{uri} refuses the credentials of the server: they are wrong or expired ({code})."),
    403: (StoreDenied, "{uri} refuses: the server may not {action} there: it needs {permission} ({code})."),
    404: (ArtifactNotFound, "{uri} has no such blob."),
    408: (StoreUnavailable, "{uri} failed to {action} ({code}). Try again."),
    412: (StoreChanged, "The file was replaced while it was read. Begin again."),
    429: (StoreThrottled, "{uri} wants fewer calls ({code}). Try again."),
    503: (StoreThrottled, "{uri} wants fewer calls ({code}). Try again."),
}
_KINDS: Final[Sequence[tuple[type[Exception], Callable[[str], TrackingError], str]]] = (
    (
        ClientAuthenticationError,
        StoreDenied,
        "{uri}: the server has no credentials for Azure that work: set AZURE_STORAGE_CONNECTION_STRING or a key.",
    ),
    (
        ServiceRequestError,
        StoreUnavailable,
        "{uri} cannot be reached{because}: check the account, MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT, and the network.",
    ),
    (ServiceResponseError, StoreUnavailable, "The connection to {uri} broke off, or nothing came any more. Try again."),
    (IncompleteReadError, StoreUnavailable, "The connection to {uri} broke off. Try again."),
    (AzureError, StoreUnavailable, "What {uri} sends is not what it should be ({kind}). Try again."),
)
_DATE_TOO_OLD: Final = "Request date header too old"
"""In what the Blob service tells beside AuthenticationFailed."""

_BROKEN_OFF: Final = (
    Exception,
    StoreUnavailable,
    "The connection to {uri} broke off, or nothing came any more. Try again.",
)


@contextmanager
def translated(uri: str, action: str, *, size_bytes: Callable[[], int] = int) -> Generator[None]:
    """`size_bytes` is asked for the size of a file that is shorter than a wanted range."""
    try:
        yield
    except HttpResponseError as error:
        if error.status_code == 416:
            raise RangeNotSatisfiable(size_bytes()) from error
        raise told(_translate(error, uri, action), uri, action) from error
    except (AzureError, requests.RequestException, OSError) as error:
        raise told(_without_answer(error, uri), uri, action) from error


def _translate(error: HttpResponseError, uri: str, action: str) -> TrackingError:
    status = error.status_code or 0
    code = code_of(error)
    if status in {401, 403} and _DATE_TOO_OLD in str(error.message):
        return ClockSkewed(f"{uri} refuses: the clock of the server is wrong: set it by NTP ({code or status}).")
    found = _CODES.get(code) or _STATUSES.get(status)
    if found is not None:
        make, text = found
        return make(text.format(uri=uri, action=action, code=code or status, permission=PERMISSIONS[action]))
    if not status:
        return _without_answer(error, uri)
    if status >= 500:
        return StoreUnavailable(f"{uri} failed to {action} ({code or status}). Try again.")
    return StoreMisconfigured(f"{uri} does not take the call to {action} ({code or status}).")


def code_of(error: HttpResponseError) -> str:
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _without_answer(error: Exception, uri: str) -> TrackingError:
    text = str(getattr(error, "message", ""))
    if isinstance(error, requests.exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text:
        return StoreUntrusted(
            f"{uri}: the certificate of the store is not one that the server trusts: set REQUESTS_CA_BUNDLE."
        )
    _, make, text = next((each for each in _KINDS if isinstance(error, each[0])), _BROKEN_OFF)
    return make(text.format(uri=uri, kind=type(error).__name__, because=because(error)))
