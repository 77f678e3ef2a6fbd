"""Jobs of MLflow's server that have come to their end, which its garbage collection removes when it is asked to."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Delete, Select, and_, delete, func, select

from tracking_server.database.schema import jobs

FINISHED: Final = (2, 3, 4, 5)
"""SUCCEEDED, FAILED, TIMEOUT and CANCELED: the others wait, run, or wait to be taken up again."""


def _collectable(created_before: int | None, ids: Sequence[str]) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [jobs.c.status.in_(FINISHED)]
    if created_before is not None:
        conditions.append(jobs.c.creation_time < created_before)
    if ids:
        conditions.append(jobs.c.id.in_(ids))
    return and_(*conditions)


def count_collectable_jobs(created_before: int | None, ids: Sequence[str]) -> Select[int]:
    return select(func.count()).select_from(jobs).where(_collectable(created_before, ids))


def select_collectable_jobs(created_before: int | None, ids: Sequence[str], limit: int) -> Select[str]:
    return select(jobs.c.id).where(_collectable(created_before, ids)).order_by(jobs.c.id).limit(limit)


def delete_jobs(ids: Sequence[str]) -> Delete:
    """Their locks go by the schema's cascade. A job that is run again meanwhile stays."""
    return delete(jobs).where(_collectable(None, ids))


def select_jobs(ids: Sequence[str]) -> Select[str, int, int]:
    """(id, status, time of creation)"""
    return select(jobs.c.id, jobs.c.status, jobs.c.creation_time).where(jobs.c.id.in_(ids))
