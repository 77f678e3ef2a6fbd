"""The URI of a place for artifacts to a store and a key, for the stores that this server is configured with; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from tracking_server.artifacts.paths import join, parse_folder
from tracking_server.artifacts.store import ArtifactStore, Place

PROXIED: Final = "mlflow-artifacts"
"""The scheme of what clients read and write through the server."""
PROXIED_ORIGIN: Final = f"{PROXIED}://"

_PROXY_ROUTE: Final = "/api/2.0/mlflow-artifacts/artifacts"
_AZURE_SCHEMES: Final = frozenset({"wasb", "wasbs", "abfs", "abfss"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+:")
"""Two characters at least: one letter and a colon is a drive of Windows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A URI taken apart, or a path of the file system, whose origin is empty. `path` has no slash at either end."""

    origin: str
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """A store, and the location of its empty key."""

    location: Location
    store: ArtifactStore


def is_proxied(uri: str) -> bool:
    """Whether clients reach what is there through the server: by its scheme, or by the address of the route."""
    location = parse_location(uri)
    return location is not None and location.origin == PROXIED_ORIGIN


def parse_location(uri: str) -> Location | None:
    """One spelling for each place. None for what is no URI, and for a URI with a query or a fragment.

    Of what clients reach through the server, the host is left out: a server has many names, and those of years ago stay
    in its experiments.
    """
    if not _SCHEME.match(uri):
        return Location(origin="", path=uri.strip("/"))
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    return None if parts.query or parts.fragment else _location(parts)


def _location(parts: SplitResult) -> Location | None:
    if parts.scheme == "file":
        return Location(origin="", path=unquote(parts.path).strip("/")) if parts.netloc in {"", "localhost"} else None
    if parts.scheme in _AZURE_SCHEMES and "@" in parts.netloc:
        return Location(origin=_azure_origin(parts.netloc), path=parts.path.strip("/"))
    proxied = _proxied_path(parts)
    if proxied is not None:
        return Location(origin=PROXIED_ORIGIN, path=unquote(proxied).strip("/"))
    return Location(origin=f"{parts.scheme}://{parts.netloc}", path=parts.path.strip("/"))


def _proxied_path(parts: SplitResult) -> str | None:
    if parts.scheme == PROXIED:
        return parts.path
    if parts.scheme not in {"http", "https"}:
        return None
    _, route, path = f"{parts.path}/".partition(f"{_PROXY_ROUTE}/")
    return path if route else None


def _azure_origin(netloc: str) -> str:
    """A container has several names: with and without TLS, by the Blob service and by that of Data Lake Storage."""
    container, _, host = netloc.rpartition("@")
    return f"wasbs://{container}@{host.lower().replace('.dfs.', '.blob.', 1)}"


def place_of(uri: str, roots: Iterable[Root]) -> Place | None:
    """None when no root holds it. Raises InvalidPath for one that would leave its root."""
    location = parse_location(uri)
    if location is None:
        return None
    for root in roots:
        if location.origin == root.location.origin:
            if location.path == root.location.path:
                return Place(store=root.store, key="")
            below = f"{root.location.path}/" if root.location.path else ""
            if location.path.startswith(below):
                return Place(store=root.store, key=parse_folder(location.path.removeprefix(below)))
    return None


def within(place: Place, path: str) -> Place:
    """What has the key `path` below the folder `place`."""
    return Place(store=place.store, key=join(place.key, path))
