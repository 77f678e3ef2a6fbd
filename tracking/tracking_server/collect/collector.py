"""Removes what is claimed: for each thing its stage is read again, its artifacts go, then its rows and the claim.

It can be killed at any moment. What is claimed and still there is taken up by the next collection.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sqlalchemy import Connection

from tracking_server.artifacts.roots import Root
from tracking_server.collect.claiming import AT_ONCE, claim, claimed_ids
from tracking_server.collect.outcome import Outcome, Stays, Wanted
from tracking_server.collect.places import OutOfReach, own_folder
from tracking_server.database.claims import has_claims
from tracking_server.database.statements import collect as statements
from tracking_server.database.statements.collect import EXPERIMENT, LOGGED_MODEL, RUN, Kind
from tracking_server.database.transactions import Database
from tracking_server.errors import GarbageCollectionFailed, TrackingError


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
    return _Collector(database, roots, Outcome(kept=list(kept))).run()


def _outcome_of_claims(database: Database, wanted: Wanted, claim_id: str, now: int) -> Outcome:
    """Claims, counts, and takes it all back."""
    outcome = Outcome()
    with database.write() as connection:
        outcome.kept.extend(claim(connection, wanted, claim_id, now))
        outcome.runs = connection.scalar(statements.count_claims(RUN)) or 0
        outcome.logged_models = connection.scalar(statements.count_claims(LOGGED_MODEL)) or 0
        outcome.experiments = connection.scalar(statements.count_claims(EXPERIMENT)) or 0
        connection.rollback()
    return outcome


class _Collector:
    def __init__(self, database: Database, roots: Sequence[Root], outcome: Outcome) -> None:
        self._database = database
        self._roots = roots
        self._outcome = outcome

    def run(self) -> Outcome:
        for page in self._pages(RUN):
            self._outcome.runs += self._remove(RUN, page, self._delete_runs)
        for page in self._pages(LOGGED_MODEL):
            self._outcome.logged_models += self._remove(LOGGED_MODEL, page, self._delete_logged_models)
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

    def _remove(self, kind: Kind, page: Sequence[str], delete_rows: Callable[[Connection, Sequence[str]], int]) -> int:
        with self._database.read() as connection:
            found = {row[0]: row[1:] for row in connection.execute(statements.select_locations(kind, page))}
        going: list[str] = []
        for item_id in page:
            uri, experiment_location = found.get(item_id, ("", ""))
            if self._is_still_deleted(kind, item_id) and self._delete_artifacts(
                kind, item_id, uri or "", item_id, experiment_location or ""
            ):
                going.append(item_id)
        return self._database.retrying(lambda connection: delete_rows(connection, going)) if going else 0

    def _is_still_deleted(self, kind: Kind, item_id: str) -> bool:
        """If not, it is let go: somebody restored it before it was claimed, or by a server that knows no claims."""

        def look(connection: Connection) -> str | None:
            stage: str | None = connection.scalar(statements.select_again(kind, item_id))
            if stage != "deleted":
                connection.execute(statements.release(kind, [item_id]))
            return stage

        stage = self._database.retrying(look)
        if stage is not None and stage != "deleted":
            self._outcome.kept.append(Stays(kind=kind.name, id=item_id, reason="it was restored"))
        return stage == "deleted"

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

    def _delete_runs(self, connection: Connection, ids: Sequence[str]) -> int:
        dataset_ids = connection.scalars(statements.select_datasets_of_runs(ids)).all()
        *others, runs = statements.delete_runs(ids)
        for statement in others:
            connection.execute(statement)
        removed = connection.execute(runs).rowcount
        if dataset_ids:
            self._outcome.datasets += connection.execute(statements.delete_orphaned(dataset_ids)).rowcount
        connection.execute(statements.release(RUN, ids))
        return removed

    def _delete_logged_models(self, connection: Connection, ids: Sequence[str]) -> int:
        *others, models = statements.delete_logged_models(ids)
        for statement in others:
            connection.execute(statement)
        removed = connection.execute(models).rowcount
        connection.execute(statements.release(LOGGED_MODEL, ids))
        return removed

    # Experiments

    def _remove_experiment(self, experiment_id: int) -> None:
        """After its runs and logged models: when one of them is left, so is the experiment."""
        with self._database.read() as connection:
            for kind in (RUN, LOGGED_MODEL):
                if connection.scalar(statements.select_experiments_with_any(kind, [experiment_id])) is not None:
                    self._leave(EXPERIMENT, str(experiment_id), f"a {kind.name.replace('_', ' ')} of it is left")
                    return
        if not self._is_still_deleted(EXPERIMENT, str(experiment_id)) or not self._remove_traces(experiment_id):
            return
        self._outcome.experiments += self._database.retrying(
            lambda connection: self._delete_experiment(connection, experiment_id)
        )

    def _remove_traces(self, experiment_id: int) -> bool:
        """Whether none is left."""
        after, is_any_left = "", False
        while True:
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

    def _delete_experiment(self, connection: Connection, experiment_id: int) -> int:
        *others, experiment = statements.delete_experiment(experiment_id)
        for statement in others:
            connection.execute(statement)
        removed = connection.execute(experiment).rowcount
        connection.execute(statements.release(EXPERIMENT, [str(experiment_id)]))
        return removed


def _delete_traces(connection: Connection, ids: Sequence[str]) -> int:
    *others, traces = statements.delete_traces(ids)
    for statement in others:
        connection.execute(statement)
    return connection.execute(traces).rowcount
