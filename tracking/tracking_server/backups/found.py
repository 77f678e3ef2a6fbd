"""The archives at a destination, by their manifests: each is read by its beginning and its end, whatever its size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from tracking_server.artifacts.store import ArtifactStore, Entry, entries_of
from tracking_server.backups.places import StorePlace
from tracking_server.backups.stored import open_stored
from tracking_server.database.archive.encryption import HEAD_BYTES, is_encrypted, key_id_of
from tracking_server.database.archive.files import open_archive
from tracking_server.database.archive.format import FIRST_FRAME, ArchiveDamaged, Manifest
from tracking_server.database.archive.keys import BackupKey
from tracking_server.errors import ConfigInvalid, TrackingError

_NAMES_OF_ARCHIVES: Final = "trackplane-"
"""How a backup calls an archive that it has to find a name for."""
_BUFFER_BYTES: Final = 64 << 10


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundArchive:
    """`reason` says why it has no manifest: it is damaged, still being written, or its key is not there."""

    name: str
    size_bytes: int
    key_id: str | None = None
    """Of the key that it is encrypted with."""
    manifest: Manifest | None = None
    taken_at: datetime | None = None
    reason: str = ""


def find_archives(place: StorePlace, keys: Sequence[BackupKey] = ()) -> Iterator[FoundArchive]:
    """Those of a folder, or the one that is named. Raises ConfigInvalid when the store does not list."""
    try:
        for entry in entries_of(lambda after: place.store.list("", after=after)):
            if entry.is_folder or (place.name and entry.name != place.name):
                continue
            if found := _look(place.store, entry, keys):
                yield found
    except TrackingError as error:
        raise ConfigInvalid(f"The backups at {place} cannot be listed: {error.message}") from error


def _look(store: ArtifactStore, entry: Entry, keys: Sequence[BackupKey]) -> FoundArchive | None:
    """None for a file that is no archive."""
    found = FoundArchive(name=entry.name, size_bytes=entry.size_bytes)
    try:
        with open_stored(store, entry.name, entry.name, _BUFFER_BYTES) as file:
            head = file.read(HEAD_BYTES)
            if is_encrypted(head):
                found = replace(found, key_id=key_id_of(head))
            elif not head.startswith(FIRST_FRAME) and not entry.name.startswith(_NAMES_OF_ARCHIVES):
                return None
            file.seek(0)
            manifest = open_archive(file, keys).manifest
    except (ArchiveDamaged, ConfigInvalid) as error:
        return replace(found, reason=error.message)
    except OSError as error:
        return replace(found, reason=error.strerror or str(error))
    try:
        taken_at = datetime.fromisoformat(manifest.created_at)
    except ValueError:
        return replace(found, reason="Its manifest does not say when it was taken.")
    return replace(found, manifest=manifest, taken_at=taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=UTC))
