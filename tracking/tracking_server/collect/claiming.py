"""Decides, in one transaction, what will be removed for good, and claims it: from then on it cannot be restored."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from tracking_server.collect.outcome import KeptBackups, Stays, Wanted
from tracking_server.database.batches import batches
from tracking_server.database.claims import ids_in
from tracking_server.database.statements import collect as statements
from tracking_server.database.statements.collect import EXPERIMENT, LOGGED_MODEL, RUN, Kind
from tracking_server.errors import ConfigInvalid

AT_ONCE: Final = 200


def claim(connection: Connection, wanted: Wanted, claim_id: str, now: int) -> Sequence[Stays]:
    """What an earlier collection had claimed goes on with this one. What is kept is told, with the reason.

    Raises ConfigInvalid when something named is not deleted, or not long enough.
    """
    connection.execute(statements.adopt_claims(claim_id))
    if wanted.names_any:
        for kind, ids in _named(wanted):
            _refuse_live(connection, kind, ids, wanted.deleted_before)
            for some in batches(ids, AT_ONCE):
                connection.execute(statements.claim_these(kind, claim_id, now, some))
    else:
        for kind in (RUN, LOGGED_MODEL, EXPERIMENT):
            connection.execute(statements.claim_deleted(kind, claim_id, now, wanted.deleted_before))
    for experiment_ids in batches(_experiment_ids(connection), AT_ONCE):
        for kind in (RUN, LOGGED_MODEL):
            connection.execute(statements.claim_of_experiments(kind, claim_id, now, experiment_ids))
    return [
        *_release_referenced(connection),
        *_release_backed_up(connection, wanted.backups),
        *_release_experiments_with_more(connection),
    ]


def claimed_ids(connection: Connection, kind: Kind, after: str = "", limit: int = AT_ONCE) -> Sequence[str]:
    """A page of them."""
    return connection.scalars(statements.select_claims(kind, after, limit)).all()


def release(connection: Connection, kind: Kind, ids: Sequence[str]) -> int:
    """How many of them were claimed."""
    if not ids:
        return 0
    return connection.execute(statements.RELEASE, {"kind": kind.name, "ids": ids}).rowcount


def _named(wanted: Wanted) -> Iterator[tuple[Kind, Sequence[str]]]:
    yield RUN, wanted.run_ids
    yield LOGGED_MODEL, wanted.logged_model_ids
    yield EXPERIMENT, wanted.experiment_ids


def _refuse_live(connection: Connection, kind: Kind, ids: Sequence[str], deleted_before: int) -> None:
    found = {
        row[0]: row[1:]
        for some in batches(ids, AT_ONCE)
        for row in connection.execute(statements.select_stages(kind, some))
    }
    name = kind.name.replace("_", " ")
    for item_id in ids:
        stage, deleted_at = found.get(item_id, (None, None))
        if stage is None:
            raise ConfigInvalid(f"There is no {name} {item_id}. Nothing was removed.")
        if stage != "deleted":
            raise ConfigInvalid(f"The {name} {item_id} is active: delete it first. Nothing was removed.")
        if deleted_at is not None and deleted_at > deleted_before:
            raise ConfigInvalid(f"The {name} {item_id} was deleted later than --older-than says. Nothing was removed.")


def _experiment_ids(connection: Connection) -> Sequence[int]:
    found: list[str] = []
    while page := claimed_ids(connection, EXPERIMENT, found[-1] if found else ""):
        found += page
    return [int(item_id) for item_id in found]


def _release_referenced(connection: Connection) -> Iterator[Stays]:
    """Runs and logged models that a live model version points to."""
    references = references_of_versions(connection)
    for kind in (RUN, LOGGED_MODEL):
        for some in batches(references, AT_ONCE):
            claimed = connection.scalars(statements.select_claimed(kind, some)).all()
            release(connection, kind, claimed)
            yield from (
                Stays(kind=kind.name, id=item_id, reason=pointed_to_by(references[item_id])) for item_id in claimed
            )


def _release_backed_up(connection: Connection, backups: KeptBackups | None) -> Iterator[Stays]:
    """What a kept backup has as it was before it was deleted: after a restore its artifacts are needed."""
    if backups is None:
        return
    if backups.oldest_at is None:
        reason = f"the backup {backups.oldest} cannot be read, so it counts as one that needs it"
    else:
        reason = f"the backup {backups.oldest} was taken before it was deleted"
    for kind in (RUN, LOGGED_MODEL, EXPERIMENT):
        after = ""
        while page := connection.scalars(
            statements.select_claimed_since(kind, backups.oldest_at, after, AT_ONCE)
        ).all():
            release(connection, kind, page)
            yield from (Stays(kind=kind.name, id=item_id, reason=reason) for item_id in page)
            after = page[-1]


def pointed_to_by(version: str) -> str:
    return f"the model version {version} points to it"


def references_of_versions(connection: Connection) -> Mapping[str, str]:
    """Id to model version. Whatever looks like an id in where a version came from counts as one."""
    found: dict[str, str] = {}
    for name, version, run_id, source, location in connection.execute(statements.SELECT_VERSIONS):
        for item_id in {run_id or "", *ids_in(source, location)}:
            found[item_id] = f"{name}/{version}"
            found[item_id.removeprefix("m-")] = f"{name}/{version}"
    return found


def _release_experiments_with_more(connection: Connection) -> Iterator[Stays]:
    for some in batches(_experiment_ids(connection), AT_ONCE):
        for kind in (RUN, LOGGED_MODEL):
            for experiment_id in connection.scalars(statements.select_experiments_with_more(kind, some)).all():
                was_claimed = release(connection, EXPERIMENT, [str(experiment_id)])
                connection.execute(statements.release_active_models(experiment_id))
                if was_claimed:
                    reason = f"it has a {kind.name.replace('_', ' ')} that stays"
                    yield Stays(kind=EXPERIMENT.name, id=str(experiment_id), reason=reason)
