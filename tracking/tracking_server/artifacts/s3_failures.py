"""What boto3 raises, told in the words of the artifact store: which kind it is, and what to do.

Only the code of an answer reaches a message. Its text may name accounts and keys, so it goes nowhere.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError

from tracking_server.artifacts.refusals import because, told
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    BucketMissing,
    ClockSkewed,
    RangeNotSatisfiable,
    RegionWrong,
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
    "read": "s3:GetObject",
    "write": "s3:PutObject and s3:AbortMultipartUpload",
    "list": "s3:ListBucket",
    "delete": "s3:DeleteObject",
    "reach": "s3:ListBucket",
}
_DENIED: Final[Mapping[str, str]] = {
    "InvalidAccessKeyId": "it does not know the access key: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key does not fit the access key: check AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session token has expired: renew the credentials of the server",
    "ExpiredTokenException": "the session token has expired: renew the credentials of the server",
    "TokenRefreshRequired": "the session token has expired: renew the credentials of the server",
    "InvalidToken": "the session token is not valid: check AWS_SESSION_TOKEN",
    "RequestTimeTooSkewed": "the clock of the server is wrong: set it by NTP",
    "RequestExpired": "the clock of the server is wrong: set it by NTP",
    "InvalidObjectState": "the object is archived: restore it in S3 first",
    "NotSignedUp": "the account has no S3",
    "AccountProblem": "the account is closed or locked",
    "AllAccessDisabled": "the bucket is closed",
    "AccessDeniedException": "a key of KMS or a role refuses it: check both",
}
_DENIED_KINDS: Final[Mapping[str, type[StoreDenied]]] = {
    "RequestTimeTooSkewed": ClockSkewed,
    "RequestExpired": ClockSkewed,
}
_MISCONFIGURED_KINDS: Final[Mapping[str, type[StoreMisconfigured]]] = {
    "NoSuchBucket": BucketMissing,
    "PermanentRedirect": RegionWrong,
    "301": RegionWrong,
    "AuthorizationHeaderMalformed": RegionWrong,
    "IllegalLocationConstraintException": RegionWrong,
    "IncorrectEndpoint": RegionWrong,
}
_MISCONFIGURED: Final[Mapping[str, str]] = {
    "NoSuchBucket": "there is no such bucket: make it, or correct the artifact root",
    "InvalidBucketName": "that is no name of a bucket: correct the artifact root",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION, or the address of that region",
    "TemporaryRedirect": "the bucket is moving to another region: try later",
    "301": "the bucket is in another region: set AWS_DEFAULT_REGION, or the address of that region",
    "AuthorizationHeaderMalformed": "the call was signed for another region: set AWS_DEFAULT_REGION",
    "IllegalLocationConstraintException": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "IncorrectEndpoint": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "NotImplemented": "it lacks what the call needs; for servers that know no new checksums,"
    " set AWS_REQUEST_CHECKSUM_CALCULATION=when_required",
    "InvalidRequest": "it does not take such a call; check MLFLOW_S3_UPLOAD_EXTRA_ARGS and, for servers that know no"
    " new checksums, set AWS_REQUEST_CHECKSUM_CALCULATION=when_required",
    "InvalidArgument": "it does not take such a call; check MLFLOW_S3_UPLOAD_EXTRA_ARGS",
    "KMS.NotFoundException": "the key of KMS is not there: check MLFLOW_S3_UPLOAD_EXTRA_ARGS",
    "KMS.DisabledException": "the key of KMS is disabled",
    "400": "it does not take such a call: check region, address and session token",
}
_THROTTLED: Final = frozenset(
    {"SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests", "ServiceUnavailable"}
)
_USERS: Final[Mapping[str, str]] = {
    "EntityTooLarge": "The file is larger than the store takes.",
    "EntityTooSmall": "A part of the upload, other than the last, is smaller than the store takes (5 MiB).",
    "InvalidPart": "A part of the upload is not in the store, or has another ETag.",
    "InvalidPartOrder": "The parts of the upload must be in the order of their numbers.",
    "KeyTooLongError": "The path is longer than the store takes.",
}
_NOT_FOUND: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound", "404"})
_WRONG_KIND: Final = frozenset(
    {
        "ObjectParentIsFile",
        "ExistingObjectIsDirectory",
        "XMinioParentIsObject",
        "XMinioObjectExistsAsDirectory",
    }
)
_NO_CREDENTIALS: Final = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.NoAuthTokenError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
    exceptions.MetadataRetrievalError,
)
_OUT_OF_REACH: Final = (
    exceptions.ConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.ProxyConnectionError,
)


@contextmanager
def translated(uri: str, action: str, *, size_bytes: Callable[[], int] = int) -> Generator[None]:
    """`size_bytes` is asked for the size of a file that is shorter than a wanted range."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in {"InvalidRange", "416"}:
            raise RangeNotSatisfiable(size_bytes()) from error
        raise told(_translate(error, uri, action), uri, action) from error
    except BotoCoreError as error:
        raise told(_translate_local(error, uri), uri, action) from error
    except OSError as error:
        raise StoreUnavailable(f"The connection to {uri} broke off.") from error


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status_of(error: ClientError) -> int:
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status


def _translate(error: ClientError, uri: str, action: str) -> TrackingError:
    code, status = code_of(error), _status_of(error)
    about_file = _about_file(code, uri)
    if about_file is not None:
        return about_file
    if code in _MISCONFIGURED:
        misconfigured = _MISCONFIGURED_KINDS.get(code, StoreMisconfigured)
        return misconfigured(f"{uri}: {_MISCONFIGURED[code]} ({code}).")
    if code in _DENIED or status == 403:
        reason = _DENIED.get(code, f"the server may not {action} there: it needs {PERMISSIONS[action]}")
        denied = _DENIED_KINDS.get(code, StoreDenied)
        return denied(f"{uri} refuses: {reason} ({code}).")
    if code in _THROTTLED or status in {429, 503}:
        return StoreThrottled(f"{uri} wants fewer calls ({code}). Try again.")
    if status >= 500 or code in {
        "RequestTimeout",
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        "XAmzContentChecksumMismatch",
        "IncompleteBody",
    }:
        return StoreUnavailable(f"{uri} failed to {action} ({code}). Try again.")
    return StoreMisconfigured(f"{uri} does not take the call to {action} ({code}).")


def _about_file(code: str, uri: str) -> TrackingError | None:
    if code in _NOT_FOUND:
        return ArtifactNotFound(f"{uri} has no such object or upload.")
    if code in _WRONG_KIND:
        return WrongKind("A part of the path is a file, or the last part is a folder.")
    if code in {"PreconditionFailed", "412"}:
        return StoreChanged("The file was replaced while it was read. Begin again.")
    return InvalidParameter(_USERS[code]) if code in _USERS else None


def _translate_local(error: BotoCoreError, uri: str) -> TrackingError:
    match error:
        case exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return StoreUntrusted(
                f"{uri}: the certificate of the store is not one that the server trusts: set AWS_CA_BUNDLE."
            )
        case _ if isinstance(error, _NO_CREDENTIALS):
            return StoreDenied(
                f"{uri}: the server has no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a"
                f" profile, or a role ({type(error).__name__})."
            )
        case _ if isinstance(error, _OUT_OF_REACH):
            return StoreUnavailable(
                f"{uri} cannot be reached{because(error)}: check MLFLOW_S3_ENDPOINT_URL, the region, and the network of"
                " the server."
            )
        case exceptions.FlexibleChecksumError():
            return StoreUnavailable(f"What {uri} sends does not have the checksum that it tells. Try again.")
        case exceptions.ReadTimeoutError() | exceptions.HTTPClientError() | exceptions.IncompleteReadError():
            return StoreUnavailable(f"The connection to {uri} broke off, or nothing came any more.")
        case _:
            return StoreMisconfigured(
                f"{uri}: the options for S3 do not fit ({type(error).__name__}): check MLFLOW_S3_UPLOAD_EXTRA_ARGS, the"
                " address and the region."
            )
