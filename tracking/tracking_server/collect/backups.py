"""Which backups are kept at a destination, by the manifests of the archives there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tracking_server.artifacts.open_store import local_folder, open_store
from tracking_server.artifacts.options import NO_OPTIONS, StoreOptions
from tracking_server.artifacts.store import ArtifactStore, ByteRange, FinalBytes, entries_of
from tracking_server.collect.outcome import KeptBackups
from tracking_server.database.archive.format import (
    END_BYTES,
    FIRST_FRAME,
    LAST_FRAME_HEAD_BYTES,
    ArchiveDamaged,
    decode_last_frame,
    manifest_bytes,
)
from tracking_server.errors import ConfigInvalid, TrackingError

_NAMES_OF_ARCHIVES: Final = "trackplane-"
"""How a backup calls an archive that it has to find a name for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Backup:
    name: str
    taken_at: int | None
    """Milliseconds since the epoch; None when it cannot be read."""


def kept_backups(destination: str, working_directory: Path, options: StoreOptions = NO_OPTIONS) -> KeptBackups | None:
    """None when there is none. Raises ConfigInvalid when the destination is not there or does not answer.

    `destination` is a folder, of the machine or of a bucket, or one archive of the machine.
    """
    folder, only = destination, ""
    path = local_folder(destination, working_directory)
    if path is not None and path.is_file():
        folder, only = str(path.parent), path.name
    elif path is not None and not path.is_dir():
        raise ConfigInvalid(f"The destination of backups {destination} is not there. Nothing was removed.")
    store = open_store(folder, working_directory, options)
    try:
        return kept_in(store, only)
    except TrackingError as error:
        raise ConfigInvalid(f"The backups at {destination} cannot be listed: {error.message}") from error


def kept_in(store: ArtifactStore, only: str = "") -> KeptBackups | None:
    """Raises TrackingError when the store does not list."""
    found = list(_backups(store, only))
    if not found:
        return None
    oldest = min(found, key=lambda backup: -1 if backup.taken_at is None else backup.taken_at)
    return KeptBackups(oldest_at=oldest.taken_at, oldest=oldest.name)


def _backups(store: ArtifactStore, only: str) -> Iterator[_Backup]:
    for entry in entries_of(lambda after: store.list("", after=after)):
        if entry.is_folder or (only and entry.name != only):
            continue
        if backup := _backup(store, entry.name):
            yield backup


def _backup(store: ArtifactStore, name: str) -> _Backup | None:
    """None for a file that is no archive. One that cannot be read counts as kept."""
    try:
        if (
            not name.startswith(_NAMES_OF_ARCHIVES)
            and _read(store, name, len(FIRST_FRAME), is_end=False) != FIRST_FRAME
        ):
            return None
        length = manifest_bytes(_read(store, name, END_BYTES, is_end=True))
        manifest = decode_last_frame(_read(store, name, LAST_FRAME_HEAD_BYTES + length + END_BYTES, is_end=True))
        taken_at = datetime.fromisoformat(manifest.created_at)
    except (TrackingError, ArchiveDamaged, ValueError):
        return _Backup(name=name, taken_at=None)
    return _Backup(
        name=name, taken_at=int((taken_at if taken_at.tzinfo else taken_at.replace(tzinfo=UTC)).timestamp()) * 1000
    )


def _read(store: ArtifactStore, name: str, count: int, *, is_end: bool) -> bytes:
    if store.stat(name).size_bytes < count:
        return b""
    wanted = FinalBytes(count=count) if is_end else ByteRange(first=0, last=count - 1)
    with store.open(name, wanted) as reader:
        content = bytearray()
        while chunk := reader.read(count):
            content += chunk
    return bytes(content)
