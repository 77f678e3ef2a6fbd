"""Which backups are kept at a destination, by the manifests of the archives there."""

from collections.abc import Sequence
from pathlib import Path

from tracking_server.artifacts.options import NO_OPTIONS, StoreOptions
from tracking_server.backups.found import FoundArchive, find_archives
from tracking_server.backups.places import StorePlace, open_folder, parse_destination
from tracking_server.collect.outcome import KeptBackups
from tracking_server.database.archive.keys import BackupKey


def kept_backups(
    destination: str, working_directory: Path, options: StoreOptions = NO_OPTIONS, keys: Sequence[BackupKey] = ()
) -> KeptBackups | None:
    """None when there is none. Raises ConfigInvalid when the destination is not there or does not answer.

    `destination` is a folder or one archive, of the machine or of a store.
    """
    return kept_in(open_folder(parse_destination(destination, working_directory, options)), keys)


def kept_in(folder: StorePlace, keys: Sequence[BackupKey] = ()) -> KeptBackups | None:
    """One that cannot be read counts as kept, and as older than all others. Raises ConfigInvalid."""
    found = list(find_archives(folder, keys))
    if not found:
        return None
    oldest = min(found, key=_age)
    return KeptBackups(oldest_at=_milliseconds(oldest), oldest=oldest.name)


def _age(archive: FoundArchive) -> int:
    taken_at = _milliseconds(archive)
    return -1 if taken_at is None else taken_at


def _milliseconds(archive: FoundArchive) -> int | None:
    return None if archive.taken_at is None else int(archive.taken_at.timestamp()) * 1000
