"""Removes what is claimed: for each thing its stage is read again, its artifacts go, then its rows and the claim.

It can be killed at any moment. What is claimed and still there is taken up by the next collection.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection, Delete

from tracking_server.artifacts.roots import Root
from tracking_server.collect.claiming import (
    AT_ONCE,
    claim,
    claimed_ids,
    pointed_to_by,
    references_of_versions,
    release,
)
from tracking_server.collect.jobs import collect_jobs
from tracking_server.collect.outcome import Outcome, Stays, Wanted
from tracking_server.collect.places import OutOfReach, own_folder
from tracking_server.database.batches import batches
from tracking_server.database.claims import has_claims
from tracking_server.database.statements import collect as statements
from tracking_server.database.statements.collect import EXPERIMENT, LOGGED_MODEL, RUN, Kind
from tracking_server.database.transactions import Database
from tracking_server.errors import GarbageCollectionFailed, TrackingError

_AT_THE_SAME_TIME = 8
"""Runs or models whose artifacts are being deleted: the time goes into waiting for a store, or for a disk."""


def collect(
    database: Database, roots: Sequence[Root], wanted: Wanted, *, claim_id: str, now: int, is_dry_run: bool = False
) -> Outcome:
    """`roots` are the places that may be deleted from. Raises ConfigInvalid, GarbageCollectionFailed.

    A dry run removes and claims nothing.
    """
    with database.read() as connection:
        if not has_claims(connection):
            raise GarbageCollectionFailed(
                "The database lacks our table of claims. Run `trackplane db upgrade`, which only adds to it, first."
            )
    if is_dry_run:
        return _outcome_of_claims(database, wanted, claim_id, now)
    kept = database.retrying(lambda connection: claim(connection, wanted, claim_id, now))
    outcome = _Collector(database, roots, Outcome(kept=list(kept))).run()
    collect_jobs(database, wanted, outcome, is_dry_run=False)
    return outcome


def _outcome_of_claims(database: Database, wanted: Wanted, claim_id: str, now: int) -> Outcome:
    """Claims, counts, and takes it all back."""
    outcome = Outcome()
    with database.write() as connection:
        outcome.kept.extend(claim(connection, wanted, claim_id, now))
        outcome.runs = connection.scalar(statements.count_claims(RUN)) or 0
        outcome.logged_models = connection.scalar(statements.count_claims(LOGGED_MODEL)) or 0
        outcome.experiments = connection.scalar(statements.count_claims(EXPERIMENT)) or 0
        outcome.traces = connection.scalar(statements.count_claimed_traces()) or 0
        connection.rollback()
    collect_jobs(database, wanted, outcome, is_dry_run=True)
    return outcome


class _Collector:
    def __init__(self, database: Database, roots: Sequence[Root], outcome: Outcome) -> None:
        self._database = database
        self._roots = roots
        self._outcome = outcome
        self._counting = threading.Lock()

    def run(self) -> Outcome:
        for page in self._pages(RUN):
            self._outcome.runs += self._remove(RUN, page)
        for page in self._pages(LOGGED_MODEL):
            self._outcome.logged_models += self._remove(LOGGED_MODEL, page)
        for page in self._pages(EXPERIMENT):
            for experiment_id in page:
                self._remove_experiment(int(experiment_id))
        return self._outcome

    def _pages(self, kind: Kind) -> Iterator[Sequence[str]]:
        """All claims, those that stay too: each is met once."""
        after = ""
        while True:
            with self._database.read() as connection:
                page = claimed_ids(connection, kind, after)
            if not page:
                return
            yield page
            after = page[-1]

    # Runs and logged models

    def _remove(self, kind: Kind, page: Sequence[str]) -> int:
        found = self._database.retrying(lambda connection: _look(connection, kind, page))
        self._let_go(kind, found.restored)
        self._keep_referenced(kind, found.referenced)
        going: list[str] = []
        with ThreadPoolExecutor(_AT_THE_SAME_TIME) as threads:
            for some in batches(found.deleted, _AT_THE_SAME_TIME):
                still = self._still_deleted(kind, some)
                gone = threads.map(partial(self._delete_artifacts_of, kind), still)
                going += [item.id for item, is_gone in zip(still, gone, strict=True) if is_gone]
        removed = self._database.retrying(lambda connection: _delete_rows(connection, kind, going))
        self._outcome.datasets += removed.datasets
        return removed.items

    def _still_deleted(self, kind: Kind, items: "Sequence[_Item]") -> "list[_Item]":
        """Read once more as the artifacts go: for servers that know no claims. Without artifacts, later is enough."""
        ids = [item.id for item in items if item.uri]
        with self._database.read() as connection:
            stages = {row[0]: row[1] for row in connection.execute(statements.select_again(kind), {"ids": ids})}
        restored = [item_id for item_id in ids if stages.get(item_id) != "deleted"]
        self._let_go(kind, restored)
        return [item for item in items if item.id not in restored]

    def _delete_artifacts_of(self, kind: Kind, item: "_Item") -> bool:
        return self._delete_artifacts(kind, item.id, item.uri, item.id, item.experiment_location)

    def _let_go(self, kind: Kind, restored: Sequence[str]) -> None:
        """Somebody restored it as it was claimed, or by a server that knows no claims."""
        if restored:
            self._database.retrying(lambda connection: release(connection, kind, restored))
        self._outcome.kept.extend(Stays(kind=kind.name, id=item_id, reason="it was restored") for item_id in restored)

    def _keep_referenced(self, kind: Kind, referenced: Mapping[str, str]) -> None:
        """Somebody registered a version of it as it was claimed, or by a server that knows no claims."""
        if referenced:
            ids = list(referenced)
            self._database.retrying(lambda connection: release(connection, kind, ids))
        self._outcome.kept += [
            Stays(kind=kind.name, id=item_id, reason=pointed_to_by(version)) for item_id, version in referenced.items()
        ]

    def _delete_artifacts(self, kind: Kind, item_id: str, uri: str, folder: str, experiment_location: str) -> bool:
        """Whether nothing is left of them."""
        try:
            place = own_folder(uri, folder, experiment_location, self._roots)
            if place is None:
                return True
            deleted = place.store.delete_prefix(place.key)
        except OutOfReach as error:
            return self._leave(kind, item_id, error.reason)
        except TrackingError as error:
            return self._leave(kind, item_id, error.message)
        with self._counting:
            self._outcome.artifacts_files += deleted.files
            self._outcome.artifacts_bytes += deleted.size_bytes
        if deleted.leftovers:
            first = deleted.leftovers[0]
            others = f", and {len(deleted.leftovers) - 1} more" if len(deleted.leftovers) > 1 else ""
            return self._leave(kind, item_id, f"{first.key}: {first.reason}{others}")
        return True

    def _leave(self, kind: Kind, item_id: str, reason: str) -> bool:
        self._outcome.leftovers.append(Stays(kind=kind.name, id=item_id, reason=reason))
        return False

    # Experiments

    def _remove_experiment(self, experiment_id: int) -> None:
        """After its runs and logged models: when one of them is left, so is the experiment."""
        with self._database.read() as connection:
            for kind in (RUN, LOGGED_MODEL):
                if connection.scalar(statements.select_experiments_with_any(kind, [experiment_id])) is not None:
                    self._leave(EXPERIMENT, str(experiment_id), f"a {kind.name.replace('_', ' ')} of it is left")
                    return
        if not self._remove_traces(experiment_id) or not self._is_still_deleted(experiment_id):
            return
        try:
            self._outcome.experiments += self._database.retrying(
                partial(_delete_experiment, experiment_id=experiment_id)
            )
        except TrackingError as error:  # a server that knows no claims has made something new in it
            self._leave(EXPERIMENT, str(experiment_id), error.message)

    def _is_still_deleted(self, experiment_id: int) -> bool:
        """Else its claim goes. The row is locked for a moment: a restore that is under way comes to its end first."""
        stage = self._database.retrying(lambda connection: connection.scalar(statements.lock_experiment(experiment_id)))
        if stage == "active":
            self._let_go(EXPERIMENT, [str(experiment_id)])
        elif stage is None:  # another collection has removed it
            self._database.retrying(lambda connection: release(connection, EXPERIMENT, [str(experiment_id)]))
        return stage == "deleted"

    def _remove_traces(self, experiment_id: int) -> bool:
        """Whether none is left, and the experiment is to go still."""
        after, is_any_left = "", False
        while True:
            if not self._is_still_deleted(experiment_id):
                return False
            with self._database.read() as connection:
                page = connection.execute(statements.select_trace_locations(experiment_id, after, AT_ONCE)).all()
            if not page:
                return not is_any_left
            after = page[-1][0]
            going = [
                trace_id
                for trace_id, uri, location in page
                if self._delete_artifacts(EXPERIMENT, str(experiment_id), uri or "", trace_id, location or "")
            ]
            is_any_left = is_any_left or len(going) < len(page)
            self._outcome.traces += self._database.retrying(partial(_delete_traces, ids=going)) if going else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Item:
    id: str
    uri: str
    experiment_location: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    deleted: Sequence[_Item]
    restored: Sequence[str]
    referenced: Mapping[str, str]
    """By id the model version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Removed:
    items: int = 0
    datasets: int = 0


def _look(connection: Connection, kind: Kind, ids: Sequence[str]) -> _Found:
    """Locks the rows for a moment, so that all versions that are being made of them are there to be seen.

    A claim whose row is gone goes too.
    """
    rows = connection.execute(statements.select_locations(kind), {"ids": ids}).all()
    missing = set(ids).difference(row[0] for row in rows)
    if missing:
        release(connection, kind, sorted(missing))
    gone = [row for row in rows if row[1] == "deleted"]
    references: Mapping[str, str] = references_of_versions(connection) if gone else {}
    return _Found(
        deleted=[
            _Item(id=row[0], uri=row[2] or "", experiment_location=row[3] or "")
            for row in gone
            if row[0] not in references
        ],
        restored=[row[0] for row in rows if row[1] != "deleted"],
        referenced={row[0]: references[row[0]] for row in gone if row[0] in references},
    )


def _delete_rows(connection: Connection, kind: Kind, ids: Sequence[str]) -> _Removed:
    """Of what is deleted still, in one transaction with the claims."""
    going = [item.id for item in _look(connection, kind, ids).deleted] if ids else []
    if not going:
        return _Removed()
    dataset_ids = connection.scalars(statements.SELECT_DATASETS_OF_RUNS, {"ids": going}).all() if kind is RUN else ()
    items = _delete(connection, statements.DELETE_RUNS if kind is RUN else statements.DELETE_LOGGED_MODELS, going)
    datasets = connection.execute(statements.DELETE_ORPHANED, {"ids": dataset_ids}).rowcount if dataset_ids else 0
    release(connection, kind, going)
    return _Removed(items=items, datasets=datasets)


def _delete_traces(connection: Connection, ids: Sequence[str]) -> int:
    return _delete(connection, statements.DELETE_TRACES, ids)


def _delete_experiment(connection: Connection, experiment_id: int) -> int:
    if connection.scalar(statements.lock_experiment(experiment_id)) != "deleted":
        return 0
    removed = _delete(connection, statements.delete_experiment(experiment_id), [str(experiment_id)])
    release(connection, EXPERIMENT, [str(experiment_id)])
    return removed


def _delete(connection: Connection, statements_in_order: Sequence[Delete], ids: Sequence[str]) -> int:
    """How many rows the last of them deleted."""
    return [connection.execute(statement, {"ids": ids}).rowcount for statement in statements_in_order][-1]
