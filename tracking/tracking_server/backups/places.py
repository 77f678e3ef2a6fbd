"""Where archives are kept, from what the command line says: a file or a folder of the machine, or of a store."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from tracking_server.artifacts.open_store import local_folder, open_store
from tracking_server.artifacts.options import NO_OPTIONS, StoreOptions
from tracking_server.artifacts.store import ArtifactStore
from tracking_server.backups.stored import StoredFile, new_object, open_stored
from tracking_server.database.archive.backup import (
    Written,
    back_up,
    read_back,
    unreadable,
    verify_archive,
    write_archive,
)
from tracking_server.database.archive.files import SUFFIXES, archive_name, open_archive
from tracking_server.database.archive.keys import BackupKey
from tracking_server.database.archive.restore import Restored, restore, restore_source, restoring
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid


@dataclass(frozen=True, kw_only=True, slots=True)
class StorePlace:
    """A folder of a store, or the archive `name` in it."""

    store: ArtifactStore
    """Its root is the folder."""
    folder: str
    """As messages call it."""
    name: str = ""

    def __str__(self) -> str:
        return f"{self.folder}/{self.name}" if self.name else self.folder


Place: TypeAlias = Path | StorePlace


def parse_destination(text: str, working_directory: Path, options: StoreOptions = NO_OPTIONS) -> Place:
    """Where a new archive goes. In a store this is a folder, unless it is called as archives are.

    Raises ConfigInvalid.
    """
    path = _local(text, working_directory)
    return _in_store(text, options, is_archive=text.endswith(SUFFIXES)) if path is None else path


def parse_archive(text: str, working_directory: Path, options: StoreOptions = NO_OPTIONS) -> Place:
    """Where an archive is. Raises ConfigInvalid."""
    path = _local(text, working_directory)
    return _in_store(text, options, is_archive=True) if path is None else path


def open_folder(place: Place) -> StorePlace:
    """To look for archives: in a folder, or for the one that is named. Raises ConfigInvalid when it is not there."""
    if isinstance(place, StorePlace):
        return place
    if not place.exists():
        raise ConfigInvalid(f"The destination of backups {place} is not there.")
    folder, name = (place, "") if place.is_dir() else (place.parent, place.name)
    return StorePlace(store=open_store(str(folder), Path.cwd()), folder=str(folder), name=name)


def is_folder(place: Place) -> bool:
    return place.is_dir() if isinstance(place, Path) else not place.name


def take(
    database: Database, place: Place, *, now: datetime, tool: str, key: BackupKey | None = None
) -> tuple[Place, Written]:
    """A new archive in a folder, or of that name, and where it is. Raises BackupFailed; then nothing is there."""
    if isinstance(place, Path):
        archive = back_up(database, place, now=now, tool=tool, key=key)
        return archive.path, archive
    name = place.name or archive_name(now, is_encrypted=key is not None)
    target = dataclasses.replace(place, name=name)
    written = write_archive(
        database, lambda: new_object(target.store, target.name, str(target)), now=now, tool=tool, key=key
    )
    return target, written


def verify_at(place: Place, keys: Sequence[BackupKey]) -> Written:
    """Reads all of it back. Raises BackupFailed, and ConfigInvalid when its key is not there."""
    if isinstance(place, Path):
        return verify_archive(place, keys)
    with unreadable(str(place)), StoredFile(place.store, place.name, str(place)) as file:
        return read_back(file, keys)


def restore_from(database: Database, place: Place, *, replace: bool, keys: Sequence[BackupKey]) -> Restored:
    """Raises RestoreFailed, ConfigInvalid when the key of the archive is not there, LockBusy."""
    if isinstance(place, Path):
        return restore(database, place, replace=replace, keys=keys)
    with restoring(str(place)), open_stored(place.store, place.name, str(place)) as file:
        return restore_source(database, open_archive(file, keys), replace=replace)


def _local(text: str, working_directory: Path) -> Path | None:
    """None for the URI of a store."""
    if text.startswith("file:"):
        return local_folder(text, working_directory)
    return None if "://" in text else working_directory / text


def _in_store(text: str, options: StoreOptions, *, is_archive: bool) -> StorePlace:
    uri = text.rstrip("/")
    if not is_archive:
        return StorePlace(store=open_store(uri, Path.cwd(), options), folder=uri)
    folder, _, name = uri.rpartition("/")
    if not urlsplit(uri).path.strip("/"):
        raise ConfigInvalid(f"{uri.partition('?')[0]!r} names no archive: it has nothing behind the bucket.")
    return StorePlace(store=open_store(folder, Path.cwd(), options), folder=folder, name=name)
