"""The model registry of a folder: registered models, their versions, tags and aliases."""

from collections.abc import Iterator, Sequence
from typing import Final

from tracking_server.filestore.addresses import Rewrite, rewritten
from tracking_server.filestore.folder import Broken, Folder
from tracking_server.filestore.reading import META, REGISTRY, number_of, text_of
from tracking_server.filestore.rows import FoundRegisteredModel, FoundVersion, ModelVersion, RegisteredModel

_INT32: Final = 2**31


def read_registered_models(folder: Folder, rewrites: Sequence[Rewrite] = ()) -> Iterator[FoundRegisteredModel]:
    for name in folder.folders(REGISTRY):
        path = f"{REGISTRY}/{name}"
        try:
            yield _read_registered_model(folder, path, name, rewrites)
        except Broken as broken:
            folder.faults.add(path, str(broken))


def _read_registered_model(
    folder: Folder, path: str, folder_name: str, rewrites: Sequence[Rewrite]
) -> FoundRegisteredModel:
    meta = folder.mapping(f"{path}/{META}")
    name = text_of(meta, "name") or folder_name
    row = RegisteredModel(
        name=name,
        creation_time=number_of(meta, "creation_timestamp"),
        last_updated_time=number_of(meta, "last_updated_timestamp"),
        description=text_of(meta, "description"),
    )
    return FoundRegisteredModel(
        path=path,
        row=row,
        tags=folder.texts(f"{path}/tags"),
        aliases=dict(_aliases(folder, path)),
        versions=tuple(_versions(folder, path, name, rewrites)),
    )


def _aliases(folder: Folder, path: str) -> Iterator[tuple[str, int]]:
    """Their files are the truth; what `meta.yaml` says of them may be old."""
    for alias, version in folder.texts(f"{path}/aliases").items():
        if version.strip().isdecimal() and int(version) < _INT32:
            yield alias, int(version)
        else:
            folder.faults.add(f"{path}/aliases/{alias}", "it names no version")


def _versions(folder: Folder, path: str, name: str, rewrites: Sequence[Rewrite]) -> Iterator[FoundVersion]:
    for folder_name in folder.folders(path):
        if not folder_name.startswith("version-"):
            continue
        inside = f"{path}/{folder_name}"
        try:
            row = _read_version(folder, inside, name, rewrites)
        except Broken as broken:
            folder.faults.add(inside, str(broken))
        else:
            yield FoundVersion(row=row, tags=folder.texts(f"{inside}/tags"))


def _read_version(folder: Folder, path: str, name: str, rewrites: Sequence[Rewrite]) -> ModelVersion:
    meta = folder.mapping(f"{path}/{META}")
    version = number_of(meta, "version")
    if version is None or f"version-{version}" != path.rpartition("/")[2] or not 0 < version < _INT32:
        raise Broken(f"its version is {version!r}, not that of its folder")
    source = rewritten(text_of(meta, "source"), rewrites)
    return ModelVersion(
        name=name,
        version=version,
        creation_time=number_of(meta, "creation_timestamp"),
        last_updated_time=number_of(meta, "last_updated_timestamp"),
        description=text_of(meta, "description"),
        user_id=text_of(meta, "user_id"),
        current_stage=text_of(meta, "current_stage") or "None",
        source=source,
        run_id=text_of(meta, "run_id"),
        status=text_of(meta, "status") or "READY",
        status_message=text_of(meta, "status_message"),
        run_link=text_of(meta, "run_link"),
        storage_location=rewritten(text_of(meta, "storage_location"), rewrites),
    )
