"""What the environment says about object stores, under the names that users of MLflow and of the SDKs have set already.

Credentials and regions that an SDK finds by itself (profiles, roles, web identity, workload identity) are left to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret
from tracking_server.variables import Reading, Variable, flag

_CHUNK_UNIT: Final = 256 * 1024
_NO_LIMIT: Final = -1


VARIABLES: Final = (
    Variable(name="MLFLOW_S3_ENDPOINT_URL", meaning="The address of an S3-compatible server; a bare host means https."),
    Variable(name="MLFLOW_S3_IGNORE_TLS", meaning="`true` takes any certificate of that server."),
    Variable(
        name="MLFLOW_S3_UPLOAD_EXTRA_ARGS",
        meaning='A JSON object of arguments of PutObject, for every upload: `{"ServerSideEncryption": "aws:kms"}`.',
    ),
    Variable(name="MLFLOW_S3_EXPECTED_BUCKET_OWNER", meaning="The account that the bucket must belong to."),
    Variable(name="MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", meaning="`auto`, `path` or `virtual`."),
    Variable(name="MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", meaning="How calls are signed; `s3v4` if not set."),
    Variable(name="AWS_MAX_ATTEMPTS", meaning="How often a call to S3 is tried, 4 times if not set."),
    Variable(name="AWS_RETRY_MODE", meaning="`standard` (if not set), `adaptive` or `legacy`, as boto3 knows them."),
    Variable(name="MLFLOW_GCS_ENDPOINT", meaning="The address of Google Cloud Storage; a bare host means https."),
    Variable(name="STORAGE_EMULATOR_HOST", meaning="The address of an emulator of it; a bare host means http."),
    Variable(name="MLFLOW_GCS_UPLOAD_CHUNK_SIZE", meaning="Bytes of one part of an upload; a multiple of 262144."),
    Variable(name="MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE", meaning="Bytes that one call reads at most."),
    Variable(
        name="MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT",
        meaning="The address of the Blob service; a bare host means https. The account is its first label.",
    ),
    Variable(name="AZURE_STORAGE_CONNECTION_STRING", meaning="Account, key or SAS, and address, in one."),
    Variable(name="AZURE_STORAGE_ACCOUNT", meaning="The account, for `azure://` roots that nothing else tells it of."),
    Variable(name="AZURE_STORAGE_ACCESS_KEY", meaning="The key of the account."),
    Variable(name="AZURE_STORAGE_SAS_TOKEN", meaning="A shared access signature, used when there is no key."),
    Variable(
        name="MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT",
        meaning="Seconds that a call to Azure (600 if not set) or Google (60) may take; -1 for no limit.",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreOptions:
    """Addresses have a scheme and no slash at the end; empty ones are those of the SDK."""

    s3_endpoint_url: str = ""
    s3_ignores_tls: bool = False
    s3_upload_extra_args: Mapping[str, object] = field(default_factory=dict[str, object])
    s3_expected_bucket_owner: str = ""
    s3_addressing_style: Literal["auto", "path", "virtual"] = "auto"
    s3_signature_version: str = "s3v4"
    s3_max_attempts: int = 4
    s3_retry_mode: Literal["standard", "adaptive", "legacy"] = "standard"
    gcs_endpoint: str = ""
    gcs_upload_chunk_bytes: int | None = None
    gcs_download_chunk_bytes: int | None = None
    azure_endpoint: str = ""
    azure_account: str = ""
    azure_connection_string: Secret | None = None
    azure_access_key: Secret | None = None
    azure_sas_token: Secret | None = None
    timeout_seconds: float | None = None
    """None for the default of the store, negative for no limit."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "StoreOptions":
        """Raises ConfigInvalid, with all faults at once. Blank counts as not given."""
        read = Reading(environ)
        options = cls(
            s3_endpoint_url=read("MLFLOW_S3_ENDPOINT_URL", _https, ""),
            s3_ignores_tls=read("MLFLOW_S3_IGNORE_TLS", flag, default=False),
            s3_upload_extra_args=read("MLFLOW_S3_UPLOAD_EXTRA_ARGS", _document, dict[str, object]()),
            s3_expected_bucket_owner=read("MLFLOW_S3_EXPECTED_BUCKET_OWNER", str, ""),
            s3_addressing_style=read("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", _addressing_style, "auto"),
            s3_signature_version=read("MLFLOW_EXPERIMENTAL_S3_SIGNATURE_VERSION", str, "s3v4"),
            s3_max_attempts=read("AWS_MAX_ATTEMPTS", _count, 4),
            s3_retry_mode=read("AWS_RETRY_MODE", _retry_mode, "standard"),
            gcs_endpoint=read("MLFLOW_GCS_ENDPOINT", _https, "") or read("STORAGE_EMULATOR_HOST", _http, ""),
            gcs_upload_chunk_bytes=read("MLFLOW_GCS_UPLOAD_CHUNK_SIZE", _upload_chunk, None),
            gcs_download_chunk_bytes=read("MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE", _chunk, None),
            azure_endpoint=read("MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT", _https, ""),
            azure_account=read("AZURE_STORAGE_ACCOUNT", str, "") or read("AZURE_STORAGE_ACCOUNT_NAME", str, ""),
            azure_connection_string=read("AZURE_STORAGE_CONNECTION_STRING", Secret, None),
            azure_access_key=read("AZURE_STORAGE_ACCESS_KEY", Secret, None),
            azure_sas_token=read("AZURE_STORAGE_SAS_TOKEN", Secret, None),
            timeout_seconds=read("MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT", _seconds, None),
        )
        if read.faults:
            raise ConfigInvalid("\n".join(read.faults))
        return options


NO_OPTIONS: Final = StoreOptions()


def _https(text: str) -> str:
    return _address(text, "https")


def _http(text: str) -> str:
    return _address(text, "http")


def _address(text: str, scheme: str) -> str:
    address = text if "://" in text else f"{scheme}://{text}"
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a host, or an http(s) address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must have no user, query or fragment: credentials have variables of their own")
    return address.rstrip("/")


def _document(text: str) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except msgspec.DecodeError:
        raise ValueError("must be a JSON object") from None


def _addressing_style(text: str) -> Literal["auto", "path", "virtual"]:
    match text:
        case "auto" | "path" | "virtual":
            return text
        case _:
            raise ValueError(f"must be auto, path or virtual, not {text!r}")


def _retry_mode(text: str) -> Literal["standard", "adaptive", "legacy"]:
    match text:
        case "standard" | "adaptive" | "legacy":
            return text
        case _:
            raise ValueError(f"must be standard, adaptive or legacy, not {text!r}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError(f"must be a number of at least 1, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"must be a number of seconds, not {text!r}") from None


def _chunk(text: str) -> int | None:
    try:
        size = int(text)
    except ValueError:
        raise ValueError(f"must be a number of bytes, not {text!r}") from None
    if size == _NO_LIMIT:
        return None
    if size <= 0:
        raise ValueError(f"must be a number of bytes, not {text!r}")
    return size


def _upload_chunk(text: str) -> int | None:
    size = _chunk(text)
    if size is not None and size % _CHUNK_UNIT:
        raise ValueError(f"must be a multiple of {_CHUNK_UNIT}, not {size}")
    return size
