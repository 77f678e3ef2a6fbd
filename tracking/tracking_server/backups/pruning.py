"""Removes the archives that retention no longer keeps, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tracking_server.artifacts.store import Leftover
from tracking_server.backups.found import find_archives
from tracking_server.backups.places import StorePlace
from tracking_server.backups.retention import Limits, sort_out
from tracking_server.database.archive.keys import BackupKey
from tracking_server.errors import TrackingError


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruned:
    """Names of archives. `others` were not looked at by retention."""

    removed: Sequence[str]
    kept: Sequence[str]
    others: Sequence[str]
    leftovers: Sequence[Leftover]


def prune(
    folder: StorePlace,
    limits: Limits,
    *,
    database_id: str,
    keys: Sequence[BackupKey],
    now: datetime,
    spared: str = "",
    is_dry_run: bool = False,
) -> Pruned:
    """`spared` is the name of an archive that stays in any case. What cannot be removed does not keep the rest.

    Raises ConfigInvalid when the folder cannot be listed; then nothing is removed.
    """
    found = list(find_archives(folder, keys))
    sorted_out = sort_out(found, limits, database_id=database_id, now=now, spared=spared)
    removed: list[str] = []
    leftovers: list[Leftover] = []
    for archive in sorted_out.expired:
        try:
            if not is_dry_run:
                folder.store.delete(archive.name)
            removed.append(archive.name)
        except TrackingError as error:
            leftovers.append(Leftover(key=archive.name, reason=error.message))
    return Pruned(
        removed=removed,
        kept=[archive.name for archive in sorted_out.kept],
        others=[archive.name for archive in sorted_out.others],
        leftovers=leftovers,
    )
