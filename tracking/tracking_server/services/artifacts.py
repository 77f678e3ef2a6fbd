"""Artifacts: what a folder holds, and where a file is. Moving the bytes is left to the edge."""

from collections.abc import Sequence

import msgspec

from tracking_server.artifacts.paths import join, parse_folder, parse_key
from tracking_server.artifacts.roots import place_of, within
from tracking_server.artifacts.store import Entry, Place, StoreDenied, StoreUnavailable, entries_of
from tracking_server.entities.artifacts import (
    FileInfo,
    FoundArtifacts,
    GetLoggedModelArtifact,
    GetRunArtifact,
    ListArtifacts,
    ListLoggedModelArtifacts,
    ListProxiedArtifacts,
    ProxiedArtifact,
    ProxiedArtifacts,
)
from tracking_server.entities.logged_models import GetLoggedModel
from tracking_server.entities.model_versions import GetModelVersionArtifact, GetModelVersionDownloadUri
from tracking_server.entities.shapes import Empty
from tracking_server.errors import NotImplementedHere
from tracking_server.services.context import Context
from tracking_server.services.logged_models import get_logged_model
from tracking_server.services.model_versions import get_model_version_download_uri
from tracking_server.services.run_reading import fetch_run_row

_RUNS = "runs:"
_LISTED_AT_ONCE = 50_000
"""A store gives less at once where its protocol has a limit; a local one reads a whole folder for each page."""


def list_artifacts(request: ListArtifacts, context: Context) -> FoundArtifacts:
    path = parse_folder(request.path)
    uri = uri_of_run(request.run_id, context)
    return FoundArtifacts(root_uri=uri, files=_files(within(held_place(uri, context), path), prefix=path))


def list_logged_model_artifacts(request: ListLoggedModelArtifacts, context: Context) -> FoundArtifacts:
    path = parse_folder(request.artifact_directory_path)
    uri = uri_of_model(request.model_id, context)
    return FoundArtifacts(root_uri=uri, files=_files(within(held_place(uri, context), path), prefix=path))


def list_proxied_artifacts(request: ListProxiedArtifacts, context: Context) -> ProxiedArtifacts:
    """Base names only, unlike the listings of runs and models."""
    place = Place(store=context.artifact_store, key=parse_folder(request.path))
    return ProxiedArtifacts(files=_files(place, prefix=""))


def delete_proxied_artifact(request: ProxiedArtifact, context: Context) -> Empty:
    """A file, or a folder with all that is in it."""
    deleted = context.artifact_store.delete_prefix(parse_folder(request.artifact_path))
    if deleted.leftovers:
        first = next((each for each in deleted.leftovers if each.is_lasting), deleted.leftovers[0])
        raise (StoreDenied if first.is_lasting else StoreUnavailable)(
            f"{len(deleted.leftovers)} of the artifacts could not be deleted, one of them"
            f" {first.key!r}: {first.reason.removesuffix('.')}."
        )
    return Empty()


def locate_proxied_artifact(request: ProxiedArtifact, context: Context) -> Place:
    return Place(store=context.artifact_store, key=parse_key(request.artifact_path))


def locate_run_artifact(request: GetRunArtifact, context: Context) -> Place:
    path = parse_key(request.path)
    return within(held_place(uri_of_run(request.run_id, context), context), path)


def locate_logged_model_artifact(request: GetLoggedModelArtifact, context: Context) -> Place:
    path = parse_key(request.artifact_file_path)
    return within(held_place(uri_of_model(request.model_id, context), context), path)


def locate_model_version_artifact(request: GetModelVersionArtifact, context: Context) -> Place:
    path = parse_key(request.path)
    wanted = GetModelVersionDownloadUri(name=request.name, version=request.version)
    uri = get_model_version_download_uri(wanted, context).artifact_uri
    if not uri.lower().startswith(_RUNS):
        return within(held_place(uri, context), path)
    run_id, _, folder = uri[len(_RUNS) :].strip("/").partition("/")
    return within(within(held_place(uri_of_run(run_id, context), context), parse_folder(folder)), path)


def uri_of_run(run_id: str, context: Context) -> str:
    with context.database.read() as connection:
        uri: str | None = fetch_run_row(connection, run_id).artifact_uri
    return uri or ""


def uri_of_model(model_id: str, context: Context) -> str:
    return get_logged_model(GetLoggedModel(model_id=model_id), context).model.info.artifact_uri


def held_place(uri: str, context: Context) -> Place:
    """Stores that this server is not configured with are never opened, whatever a run says."""
    place = place_of(uri, context.artifact_roots)
    if place is None:
        raise NotImplementedHere(
            f"The artifacts are in {uri!r}, which is none of the stores of this server: clients with access to it can"
            " read them, this server cannot."
        )
    return place


def _files(place: Place, prefix: str) -> Sequence[FileInfo]:
    entries = entries_of(lambda after: place.store.list(place.key, after=after, limit=_LISTED_AT_ONCE))
    return tuple(sorted((_file(entry, prefix) for entry in entries), key=_path))


def _path(file: FileInfo) -> str:
    return file.path


def _file(entry: Entry, prefix: str) -> FileInfo:
    size = msgspec.UNSET if entry.is_folder else entry.size_bytes
    return FileInfo(path=join(prefix, entry.name), is_dir=entry.is_folder, file_size=size)
