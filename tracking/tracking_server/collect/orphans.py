"""Artifacts that no row owns: what a lost database, a restore of an older backup or another tool has left behind.

Only folders of our layout count: `<experiment>/<run>`, `<experiment>/models/<model>` and `<experiment>/traces/<trace>`.
Everything else in the root is counted, and never touched. What is held in memory is a page of names at a time.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection

from tracking_server.artifacts.paths import InvalidPath, join, parse_key
from tracking_server.artifacts.store import ArtifactNotFound, ArtifactStore, Deleted, Entry, entries_of
from tracking_server.collect.claiming import AT_ONCE, references_of_versions
from tracking_server.collect.outcome import Stays
from tracking_server.collect.ownership import MARKER, refuse_foreign
from tracking_server.database.batches import batches
from tracking_server.database.claims import ids_in
from tracking_server.database.statements import ownership as statements
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, TrackingError

_EXPERIMENT: Final = re.compile(r"[0-9]{1,20}")
_RUN: Final = re.compile(r"[0-9a-f]{32}")
_MODEL: Final = re.compile(r"m-[0-9a-f]{32}")
_TRACE: Final = re.compile(r"tr-[0-9a-f]{32}|[0-9a-f]{32}")
_SHOWN: Final = 1000
_ROWS_AT_ONCE: Final = 1000
DELETED_AT_ONCE: Final = 8
"""The time goes into waiting for the store. Rows are looked for once more before as many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    written_before: float
    """Seconds since the epoch: an orphan with a file that is younger is left alone."""
    max_share: float
    """Of the folders of runs, models and traces, how many may be orphans."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    path: str
    files: int
    size_bytes: int


@dataclass(kw_only=True, slots=True)
class Sweep:
    """`orphans` are old enough; `young` are not. `others` is what is none of our layout."""

    owned: int = 0
    orphans: int = 0
    young: int = 0
    others: int = 0
    files: int = 0
    size_bytes: int = 0
    deleted: int = 0
    deleted_files: int = 0
    deleted_bytes: int = 0
    shown: list[Orphan] = field(default_factory=list[Orphan])
    """The first of them."""
    leftovers: list[Stays] = field(default_factory=list[Stays])

    @property
    def share(self) -> float:
        """Young ones count: they are what the restore of an older backup makes."""
        folders = self.owned + self.orphans + self.young
        return (self.orphans + self.young) / folders if folders else 0.0


def find_orphans(database: Database, store: ArtifactStore, limits: Limits) -> Sweep:
    """Raises TrackingError when the store does not list."""
    sweep = Sweep()
    for orphans in _orphans(database, store, limits, sweep):
        sweep.orphans += len(orphans)
        sweep.files += sum(orphan.files for orphan in orphans)
        sweep.size_bytes += sum(orphan.size_bytes for orphan in orphans)
        sweep.shown += orphans[: _SHOWN - len(sweep.shown)]
    return sweep


def delete_orphans(database: Database, store: ArtifactStore, root: str, limits: Limits) -> Sweep:
    """Looks first at all of them, then once more as some are deleted: their rows may have come meanwhile.

    Raises ConfigInvalid, TrackingError.
    """
    refuse_foreign(database, store, root)
    with database.read() as connection:
        if not connection.scalar(statements.COUNT_RUNS):
            raise ConfigInvalid(
                "The database has no run at all, so everything would be an orphan: it is likely not the one that these"
                " artifacts belong to. Nothing was removed."
            )
    sweep = find_orphans(database, store, limits)
    if sweep.share > limits.max_share:
        raise ConfigInvalid(
            f"Of {sweep.owned + sweep.orphans + sweep.young} folders in {root}, {sweep.orphans + sweep.young} have no"
            f" owner: {sweep.share:.1%}, and --max-share is {limits.max_share:.1%}. Look at them without --delete, and"
            " whether this is the database that the artifacts belong to. Nothing was removed."
        )
    with ThreadPoolExecutor(DELETED_AT_ONCE) as threads:
        for orphans in _orphans(database, store, limits, Sweep()):
            for some in batches((orphan.path for orphan in orphans), DELETED_AT_ONCE):
                for path, outcome in threads.map(partial(_delete, store), _without_row(database, some)):
                    _count_deleted(sweep, path, outcome)
    return sweep


def _delete(store: ArtifactStore, path: str) -> tuple[str, Deleted | TrackingError]:
    try:
        return path, store.delete_prefix(path)
    except TrackingError as error:
        return path, error


def _count_deleted(sweep: Sweep, path: str, outcome: Deleted | TrackingError) -> None:
    if isinstance(outcome, TrackingError):
        sweep.leftovers.append(Stays(kind="orphan", id=path, reason=outcome.message))
        return
    sweep.deleted_files += outcome.files
    sweep.deleted_bytes += outcome.size_bytes
    if outcome.leftovers:
        first = outcome.leftovers[0]
        sweep.leftovers.append(Stays(kind="orphan", id=path, reason=f"{first.key}: {first.reason}"))
    else:
        sweep.deleted += 1


def _orphans(database: Database, store: ArtifactStore, limits: Limits, sweep: Sweep) -> Iterator[Sequence[Orphan]]:
    """Those that are old enough, some at a time; the rest is counted in `sweep`."""
    with database.snapshot() as connection:
        named = _named_elsewhere(connection)
    for page in _pages(store, sweep):
        without = [path for path in _without_row(database, page) if _id(path) not in named]
        found = [orphan for path in without if (orphan := _measured(store, path, limits.written_before)) is not None]
        sweep.owned += len(page) - len(without)
        sweep.young += len(without) - len(found)
        yield found


def _pages(store: ArtifactStore, sweep: Sweep) -> Iterator[Sequence[str]]:
    """Folders of runs, models and traces, at most so many at once."""
    for experiment in _folders(store, "", sweep, _EXPERIMENT):
        yield from batches(_in_experiment(store, experiment, sweep), AT_ONCE)


def _in_experiment(store: ArtifactStore, experiment: str, sweep: Sweep) -> Iterator[str]:
    for entry in _entries(store, experiment):
        path = join(experiment, entry.name)
        if entry.is_folder and entry.name in {"models", "traces"}:
            pattern = _MODEL if entry.name == "models" else _TRACE
            for inner in _folders(store, path, sweep, pattern):
                yield join(path, inner)
        elif entry.is_folder and _RUN.fullmatch(entry.name):
            yield path
        else:
            sweep.others += 1


def _folders(store: ArtifactStore, folder: str, sweep: Sweep, pattern: re.Pattern[str]) -> Iterator[str]:
    for entry in _entries(store, folder):
        if entry.is_folder and pattern.fullmatch(entry.name):
            yield entry.name
        elif folder or entry.name != MARKER:
            sweep.others += 1


def _entries(store: ArtifactStore, folder: str) -> Iterator[Entry]:
    return entries_of(lambda after: store.list(folder, after=after))


def _without_row(database: Database, paths: Sequence[str]) -> Sequence[str]:
    """Asked after the folders were seen: rows are there before their artifacts. Whatever has the id owns the folder."""
    with database.read() as connection:
        owners = set(connection.scalars(statements.SELECT_OWNERS, {"ids": [_id(path) for path in paths]}))
    return [path for path in paths if _id(path) not in owners]


def _id(path: str) -> str:
    return path.rpartition("/")[2]


def _named_elsewhere(connection: Connection) -> frozenset[str]:
    """What a live model version names, or something whose artifacts are in a folder that is called otherwise.

    There are few of the latter: where runs were moved by hand, and the locations of experiments.
    """
    named = set(references_of_versions(connection))
    rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).scalars(statements.select_odd_locations())
    for some in rows.partitions():
        for location in some:
            named |= _segments(location)
    return frozenset(named)


def _segments(location: str | None) -> frozenset[str]:
    return ids_in(location) | frozenset((location or "").split("/"))


def _measured(store: ArtifactStore, path: str, written_before: float) -> Orphan | None:
    """None when a file in it is too young, or nobody knows how old it is."""
    files = size_bytes = 0
    for key, entry in _files(store, path):
        try:
            parse_key(key)
            modified_seconds = (
                store.stat(key).modified_seconds if entry.modified_seconds is None else entry.modified_seconds
            )
        except ArtifactNotFound:
            continue
        except InvalidPath:  # somebody put it there by hand
            return None
        if modified_seconds > written_before:
            return None
        files += 1
        size_bytes += entry.size_bytes
    return Orphan(path=path, files=files, size_bytes=size_bytes)


def _files(store: ArtifactStore, folder: str) -> Iterator[tuple[str, Entry]]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        for entry in _entries(store, current):
            key = join(current, entry.name)
            if entry.is_folder:
                waiting.append(key)
            else:
                yield key, entry
