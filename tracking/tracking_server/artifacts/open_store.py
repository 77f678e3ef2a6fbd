"""URI to store. An SDK would be imported only where its scheme is used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.local import LocalStore
from tracking_server.artifacts.roots import PROXIED, Location, Root, parse_location
from tracking_server.artifacts.store import ArtifactStore
from tracking_server.errors import ConfigInvalid

_NOT_BUILT: Final = {
    "s3": "S3",
    "gs": "Google Cloud Storage",
    "wasb": "Azure Blob Storage",
    "wasbs": "Azure Blob Storage",
    "azure": "Azure Blob Storage",
    "abfs": "Azure Data Lake Storage",
    "abfss": "Azure Data Lake Storage",
}
_EVERYTHING_PROXIED: Final = Location(origin=f"{PROXIED}://", path="")


def open_store(uri: str, working_directory: Path) -> ArtifactStore:
    """Touches nothing yet. Raises ConfigInvalid."""
    folder = local_folder(uri, working_directory)
    if folder is None:
        raise ConfigInvalid(_refusal(uri))
    return CheckedStore(LocalStore(folder))


def open_roots(destination: str, default_root: str, working_directory: Path) -> Sequence[Root]:
    """All places that the server may read and write: what clients reach through it, and where runs keep artifacts.

    The first is that of the proxied artifacts. Raises ConfigInvalid.
    """
    store = open_store(destination, working_directory)
    roots = [
        Root(location=_EVERYTHING_PROXIED, store=store),
        Root(location=_absolute(destination, working_directory), store=store),
    ]
    if urlsplit(default_root).scheme == PROXIED:
        location = parse_location(default_root)
        if location is None:
            raise ConfigInvalid(f"{default_root!r} cannot be the default artifact root: it has a query or a fragment.")
        # A host in it is ours: runs get it from here. The path below it is the same as without the host.
        roots.append(Root(location=Location(origin=location.origin, path=""), store=store))
    elif local_folder(default_root, working_directory) is not None:
        location = _absolute(default_root, working_directory)
        roots.append(Root(location=location, store=open_store(default_root, working_directory)))
    return tuple(roots)


def absolute_uri(uri: str, working_directory: Path) -> str:
    """A relative path as an absolute one; anything else as it is."""
    return str(working_directory / uri) if _is_relative(uri) else uri


def local_folder(uri: str, working_directory: Path) -> Path | None:
    """The folder that a path or a `file:` URI means; None for any other URI."""
    location = parse_location(uri)
    if location is None or location.origin:
        return None
    return working_directory / location.path if _is_relative(uri) else Path("/", location.path)


def _is_relative(uri: str) -> bool:
    location = parse_location(uri)
    return location is not None and not location.origin and not uri.startswith(("/", "file:"))


def _absolute(uri: str, working_directory: Path) -> Location:
    return Location(origin="", path=str(local_folder(uri, working_directory)).strip("/"))


def _refusal(uri: str) -> str:
    name = _NOT_BUILT.get(urlsplit(uri).scheme)
    if name is None:
        return f"{uri!r} is not a place for artifacts: it must be a folder or a file: URI."
    return f"{uri!r}: artifacts in {name} are not built yet. This release keeps artifacts in a local folder."
