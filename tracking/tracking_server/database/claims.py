"""What garbage collection has claimed, for those who restore or register: what is claimed stays deleted."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, inspect

from tracking_server.database import schema
from tracking_server.database.statements import collect as statements
from tracking_server.database.statements import runs as run_statements
from tracking_server.database.statements.collect import EXPERIMENT, LOGGED_MODEL, RUN, Kind
from tracking_server.errors import InvalidParameter

_AT_ONCE = 500
_ID: Final = re.compile(r"m-[0-9a-f]{32}|[0-9a-f]{32}")


def ids_in(*texts: str | None) -> frozenset[str]:
    """Whatever looks like the id of a run or a logged model, in where a model version came from."""
    return frozenset(found for text in texts for found in _ID.findall(text or ""))


def has_claims(connection: Connection) -> bool:
    """Whether the database has the table of claims at all; without it, nothing is ever collected."""
    return inspect(connection).has_table(schema.trackplane_gc_claims.name)


def claimed(connection: Connection, kind: Kind, ids: Iterable[str]) -> frozenset[str]:
    """Those of `ids` that are claimed.

    To be asked after the row was changed in the same transaction: the collector locks the row before it deletes
    anything, so one of the two sees the other.
    """
    wanted: Sequence[str] = list(ids)
    if not wanted or not has_claims(connection):
        return frozenset()
    return frozenset(
        item_id
        for start in range(0, len(wanted), _AT_ONCE)
        for item_id in connection.scalars(statements.select_claimed(kind, wanted[start : start + _AT_ONCE]))
    )


def refuse_claimed_run(connection: Connection, run_id: str) -> None:
    """For who has just restored the run. Raises InvalidParameter."""
    if claimed(connection, RUN, [run_id]):
        raise InvalidParameter(_refusal(f"Run {run_id} is"))


def refuse_claimed_sources(connection: Connection, run_ids: Iterable[str], model_ids: Iterable[str]) -> None:
    """For who has locked what a new model version points to. Raises InvalidParameter."""
    for kind, ids in ((RUN, run_ids), (LOGGED_MODEL, model_ids)):
        for item_id in sorted(claimed(connection, kind, ids)):
            raise InvalidParameter(
                f"The {kind.name.replace('_', ' ')} {item_id} is being removed for good by garbage collection: no model"
                " version can be made of it any more."
            )


def restore_runs_of_experiment(connection: Connection, experiment_id: int) -> None:
    """For who has just restored the experiment: all its runs, but not those that are being removed.

    Raises InvalidParameter when it is being removed itself.
    """
    if not has_claims(connection):
        connection.execute(run_statements.RESTORE_ALL_OF_EXPERIMENT, {"of_experiment": experiment_id})
        return
    if claimed(connection, EXPERIMENT, [str(experiment_id)]):
        raise InvalidParameter(_refusal(f"Experiment {experiment_id} is"))
    connection.execute(statements.restore_unclaimed_runs(experiment_id))
    if connection.scalars(statements.select_claimed_active_runs(experiment_id)).first() is not None:
        raise InvalidParameter(_refusal(f"Runs of experiment {experiment_id} are"))  # claimed at this very moment


def _refusal(what: str) -> str:
    return f"{what} being removed for good by garbage collection, and cannot be restored."
