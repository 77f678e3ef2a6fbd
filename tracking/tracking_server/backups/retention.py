"""Which archives of a database are no longer to be kept. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking_server.backups.found import FoundArchive
from tracking_server.database.archive.files import has_own_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What is within one of them is kept; one that is None keeps nothing."""

    last: int | None = None
    """So many of the newest."""
    age: timedelta | None = None

    @property
    def are_given(self) -> bool:
        return self.last is not None or self.age is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """`others` is what retention does not touch: unreadable, of another database, or named by somebody."""

    expired: Sequence[FoundArchive]
    kept: Sequence[FoundArchive]
    others: Sequence[FoundArchive]


def sort_out(
    found: Iterable[FoundArchive], limits: Limits, *, database_id: str, now: datetime, spared: str = ""
) -> Sorted:
    """The newest one never expires, nor the one with the name `spared`, and nothing does without a limit."""
    own: list[tuple[datetime, FoundArchive]] = []
    others: list[FoundArchive] = []
    for each in found:
        if each.taken_at is not None and _is_of(each, database_id) and has_own_name(each.name):
            own.append((each.taken_at, each))
        else:
            others.append(each)
    own.sort(key=lambda pair: (pair[0], pair[1].name), reverse=True)
    expired = [
        archive
        for place, (taken_at, archive) in enumerate(own)
        if archive.name != spared and not _is_kept(limits, place, now - taken_at)
    ]
    kept = [archive for _, archive in own if archive not in expired]
    return Sorted(expired=expired, kept=kept, others=others)


def _is_of(archive: FoundArchive, database_id: str) -> bool:
    return archive.manifest is not None and archive.manifest.database == database_id


def _is_kept(limits: Limits, place: int, age: timedelta) -> bool:
    """`place`: 0 is the newest."""
    if place == 0 or not limits.are_given:
        return True
    return (limits.last is not None and place < limits.last) or (limits.age is not None and age <= limits.age)
