"""URI to store. An SDK is imported only when its scheme is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tracking_server.artifacts.addresses import (
    Address,
    AzureAddress,
    GcsAddress,
    S3Address,
    client_uri,
    parse_address,
)
from tracking_server.artifacts.bucket import Bucket
from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import NO_OPTIONS, StoreOptions
from tracking_server.artifacts.roots import PROXIED, PROXIED_ORIGIN, Location, Root, parse_location
from tracking_server.artifacts.store import ArtifactStore
from tracking_server.errors import ConfigInvalid

_EVERYTHING_PROXIED: Final = Location(origin=PROXIED_ORIGIN, path="")


def open_store(uri: str, working_directory: Path, options: StoreOptions = NO_OPTIONS) -> ArtifactStore:
    """Touches nothing yet. Raises ConfigInvalid, also when the SDK of the store is not installed."""
    address = parse_address(uri, options)
    if address is not None:
        return CheckedStore(ObjectStore(_bucket(address, options), address.prefix))
    folder = local_folder(uri, working_directory)
    if folder is None:
        shown = uri.partition("?")[0]
        raise ConfigInvalid(
            f"{shown!r} is not a place for artifacts: it must be a folder, a file: URI, or one of s3://bucket/path,"
            " gs://bucket/path, wasbs://container@account.blob.core.windows.net/path, abfss://..., azure://container/path."
        )
    return CheckedStore(LocalStore(folder))


def open_roots(
    destination: str, default_root: str, working_directory: Path, options: StoreOptions = NO_OPTIONS
) -> Sequence[Root]:
    """All places that the server may read and write: what clients reach through it, and where runs keep artifacts.

    The first is that of the proxied artifacts. Raises ConfigInvalid.
    """
    store = open_store(destination, working_directory, options)
    roots = [
        Root(location=_EVERYTHING_PROXIED, store=store),
        *(Root(location=each, store=store) for each in _locations(destination, working_directory, options)),
    ]
    if urlsplit(default_root).scheme == PROXIED and parse_location(default_root) is None:
        raise ConfigInvalid(f"{default_root!r} cannot be the default artifact root: it has a query or a fragment.")
    if _is_place(default_root, working_directory, options):
        own = open_store(default_root, working_directory, options)
        roots += [Root(location=each, store=own) for each in _locations(default_root, working_directory, options)]
    return tuple(roots)


def absolute_uri(uri: str, working_directory: Path, options: StoreOptions = NO_OPTIONS) -> str:
    """As clients are told it: a relative path as an absolute one, `azure://` with its account, others as they are."""
    return str(working_directory / uri) if _is_relative(uri) else client_uri(uri, options)


def local_folder(uri: str, working_directory: Path) -> Path | None:
    """The folder that a path or a `file:` URI means; None for any other URI."""
    location = parse_location(uri)
    if location is None or location.origin:
        return None
    return working_directory / location.path if _is_relative(uri) else Path("/", location.path)


def _bucket(address: Address, options: StoreOptions) -> Bucket:
    match address:
        case S3Address():
            try:
                from tracking_server.artifacts.s3 import S3Bucket
            except ModuleNotFoundError as error:
                raise _not_installed(f"s3://{address.bucket}", "s3", error) from error
            return S3Bucket(address.bucket, options)
        case GcsAddress():
            try:
                from tracking_server.artifacts.gcs import GcsBucket
            except ModuleNotFoundError as error:
                raise _not_installed(f"gs://{address.bucket}", "gcs", error) from error
            return GcsBucket(address.bucket, options)
        case AzureAddress():
            try:
                from tracking_server.artifacts.azure_blob import AzureContainer
            except ModuleNotFoundError as error:
                raise _not_installed(f"wasbs://{address.container}", "azure", error) from error
            return AzureContainer(address, options)


def _not_installed(uri: str, extra: str, error: ModuleNotFoundError) -> ConfigInvalid:
    return ConfigInvalid(
        f"{uri} needs the Python package {error.name}, which is not installed: pip install 'trackplane[{extra}]'."
    )


def _is_place(uri: str, working_directory: Path, options: StoreOptions) -> bool:
    return parse_address(uri, options) is not None or local_folder(uri, working_directory) is not None


def _locations(uri: str, working_directory: Path, options: StoreOptions) -> Sequence[Location]:
    """Every way in which a run may name the place."""
    address = parse_address(uri, options)
    if address is None:
        return (Location(origin="", path=str(local_folder(uri, working_directory)).strip("/")),)
    found = [parse_location(client_uri(uri, options)), parse_location(uri)]
    return tuple(dict.fromkeys(location for location in found if location is not None))


def _is_relative(uri: str) -> bool:
    location = parse_location(uri)
    return location is not None and not location.origin and not uri.startswith(("/", "file:"))
