"""The URI of a place in an object store taken apart, in every form that users have; pure."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import InvalidPath, parse_folder
from tracking_server.errors import ConfigInvalid
from tracking_server.settings import Secret

AZURE_SCHEMES: Final = frozenset({"wasb", "wasbs", "abfs", "abfss", "azure"})
SCHEMES: Final = frozenset({"s3", "gs"}) | AZURE_SCHEMES

_PUBLIC_SUFFIX: Final = "blob.core.windows.net"
_CONNECTION_ACCOUNT = re.compile(r"(?:^|;)\s*AccountName=([^;]+)", re.IGNORECASE)
_CONNECTION_KEY = re.compile(r"(?:^|;)\s*AccountKey=([^;]+)", re.IGNORECASE)
_CONNECTION_ENDPOINT = re.compile(r"(?:^|;)\s*BlobEndpoint=https?://([^;/:]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Address:
    bucket: str
    prefix: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GcsAddress:
    bucket: str
    prefix: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AzureAddress:
    """`host` is that of the Blob service, whatever service the URI named."""

    container: str
    host: str
    prefix: str

    @property
    def account(self) -> str:
        return self.host.partition(".")[0]


Address: TypeAlias = S3Address | GcsAddress | AzureAddress


def parse_address(uri: str, options: StoreOptions) -> Address | None:
    """None for a URI that names no object store. Raises ConfigInvalid for one that cannot be a root."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in SCHEMES:
        return None
    if parts.query or parts.fragment or parts.password or port:
        raise ConfigInvalid(f"{_shown(uri)!r} cannot be a root of artifacts: it has more than a bucket and a path.")
    prefix = _prefix(uri, parts.path)
    if parts.scheme in AZURE_SCHEMES:
        container, host = _container(uri, parts.netloc, parts.scheme, options)
        return AzureAddress(container=container, host=host, prefix=prefix)
    if not parts.netloc or "@" in parts.netloc:
        raise ConfigInvalid(f"{_shown(uri)!r} names no bucket. Write {parts.scheme}://bucket/path.")
    if parts.scheme == "s3":
        return S3Address(bucket=parts.netloc, prefix=prefix)
    return GcsAddress(bucket=parts.netloc, prefix=prefix)


def client_uri(uri: str, options: StoreOptions) -> str:
    """As clients are told it: they do not know `azure://container`, whose account is in our configuration."""
    address = parse_address(uri, options)
    if not isinstance(address, AzureAddress) or urlsplit(uri).scheme != "azure":
        return uri
    root = f"wasbs://{address.container}@{address.host}"
    return f"{root}/{address.prefix}" if address.prefix else root


def azure_account(options: StoreOptions) -> str:
    """The account that the configuration names; empty when it names none."""
    if options.azure_endpoint:
        host = urlsplit(options.azure_endpoint).hostname or ""
        path = urlsplit(options.azure_endpoint).path.strip("/")
        return path or host.partition(".")[0]  # an emulator has the account in its path
    if options.azure_connection_string and (
        found := _CONNECTION_ACCOUNT.search(options.azure_connection_string.reveal())
    ):
        return found[1].strip()
    return options.azure_account


def azure_account_key(options: StoreOptions) -> Secret | None:
    """None when the server has a signature, or an identity, instead."""
    if options.azure_connection_string is None:
        return options.azure_access_key
    found = _CONNECTION_KEY.search(options.azure_connection_string.reveal())
    return Secret(found[1]) if found else None


def has_azure_signature(options: StoreOptions) -> bool:
    if options.azure_connection_string is None:
        return options.azure_sas_token is not None
    return "sharedaccesssignature=" in options.azure_connection_string.reveal().lower()


def _container(uri: str, netloc: str, scheme: str, options: StoreOptions) -> tuple[str, str]:
    container, has_host, host = netloc.rpartition("@") if "@" in netloc else (netloc, "", "")
    if not container:
        raise ConfigInvalid(
            f"{_shown(uri)!r} names no container. Write wasbs://container@account.{_PUBLIC_SUFFIX}/path."
        )
    if has_host:
        return container, host.lower().replace(".dfs.", ".blob.", 1)
    if scheme != "azure":
        raise ConfigInvalid(
            f"{_shown(uri)!r} names no account. Write {scheme}://container@account.{_PUBLIC_SUFFIX}/path."
        )
    account = azure_account(options)
    if not account:
        raise ConfigInvalid(
            f"{_shown(uri)!r} names no account: set MLFLOW_AZURE_STORAGE_BLOB_ENDPOINT, AZURE_STORAGE_CONNECTION_STRING"
            " or AZURE_STORAGE_ACCOUNT."
        )
    return container, _host_of(account, options)


def _host_of(account: str, options: StoreOptions) -> str:
    """The name that clients know the account by: that of the configured address when it is one of Azure's."""
    host = urlsplit(options.azure_endpoint).hostname or ""
    if not host and options.azure_connection_string:
        found = _CONNECTION_ENDPOINT.search(options.azure_connection_string.reveal())
        host = found[1] if found else ""
    return host.lower() if ".blob." in host else f"{account}.{_PUBLIC_SUFFIX}"


def _prefix(uri: str, path: str) -> str:
    try:
        return parse_folder(path.lstrip("/"))
    except InvalidPath as error:
        raise ConfigInvalid(f"{_shown(uri)!r} cannot be a root of artifacts. {error}") from None


def _shown(uri: str) -> str:
    """Without what may be a secret."""
    return uri.partition("?")[0].partition("#")[0]
