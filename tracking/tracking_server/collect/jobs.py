"""Jobs of MLflow's server: `--jobs` and `--job-ids` mean what they mean there. Only those at their end go."""

from collections.abc import Iterator, Sequence
from functools import partial

from sqlalchemy import Connection

from tracking_server.collect.claiming import AT_ONCE
from tracking_server.collect.outcome import Outcome, Stays, Wanted
from tracking_server.database.batches import batches
from tracking_server.database.statements import jobs as statements
from tracking_server.database.transactions import Database


def collect_jobs(database: Database, wanted: Wanted, outcome: Outcome, *, is_dry_run: bool) -> None:
    """The age of a job counts from its creation, as with MLflow. What was named and does not go is told."""
    if not wanted.jobs and not wanted.job_ids:
        return
    for ids in batches(wanted.job_ids, AT_ONCE) if wanted.job_ids else ((),):
        if ids:
            with database.read() as connection:
                outcome.kept.extend(_those_that_stay(connection, ids, wanted.jobs_created_before))
        if is_dry_run:
            with database.read() as connection:
                counted = statements.count_collectable_jobs(wanted.jobs_created_before, ids)
                outcome.jobs += connection.scalar(counted) or 0
            continue
        while removed := database.retrying(partial(_remove_some, wanted=wanted, ids=ids)):
            outcome.jobs += removed


def _remove_some(connection: Connection, wanted: Wanted, ids: Sequence[str]) -> int:
    some = connection.scalars(statements.select_collectable_jobs(wanted.jobs_created_before, ids, AT_ONCE)).all()
    return connection.execute(statements.delete_jobs(some)).rowcount if some else 0


def _those_that_stay(connection: Connection, ids: Sequence[str], created_before: int | None) -> Iterator[Stays]:
    found = {row[0]: row for row in connection.execute(statements.select_jobs(ids))}
    for job_id in ids:
        row = found.get(job_id)
        if row is None:
            yield Stays(kind="job", id=job_id, reason="there is no such job")
        elif row[1] not in statements.FINISHED:
            yield Stays(kind="job", id=job_id, reason="it has not come to its end")
        elif created_before is not None and row[2] >= created_before:
            yield Stays(kind="job", id=job_id, reason="it was made later than --older-than says")
