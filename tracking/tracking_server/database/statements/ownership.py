"""Which artifacts have a row that owns them, and the id of the database, for the roots that it owns."""

from typing import Final

from sqlalchemy import ColumnElement, Insert, Select, and_, func, insert, literal, select, union_all

from tracking_server.database.schema import (
    experiments,
    logged_models,
    runs,
    trace_info,
    trace_tags,
)
from tracking_server.database.schema import trackplane_gc_claims as claims
from tracking_server.database.statements.collect import ARTIFACTS_OF_TRACE
from tracking_server.database.statements.lists import one_of

_DATABASE: Final = "database"
"""A claim of another kind: the database claims roots by this id, which their markers name."""

COUNT_RUNS: Final = select(func.count()).select_from(runs)

SELECT_DATABASE_ID: Final = select(claims.c.id).where(claims.c.kind == _DATABASE).order_by(claims.c.id)


def keep_database_id(database_id: str, now: int) -> Insert:
    return insert(claims).values(kind=_DATABASE, id=database_id, claim_id="", claimed_at=now)


SELECT_OWNERS: Final = union_all(
    *(
        select(key).where(one_of(key, "ids"))
        for key in (runs.c.run_uuid, logged_models.c.model_id, trace_info.c.request_id)
    )
)
"""Which of these ids a run, logged model or trace of any stage has."""


def select_odd_locations() -> Select[str]:
    """Of what has its artifacts in a folder that is not called as it, and of experiments: where these are."""
    traces = trace_tags.c
    return select(
        union_all(
            select(runs.c.artifact_uri.label("location")).where(
                runs.c.artifact_uri.is_not(None), runs.c.artifact_uri.not_like(_named(runs.c.run_uuid))
            ),
            select(logged_models.c.artifact_location).where(
                logged_models.c.artifact_location.not_like(_named(logged_models.c.model_id))
            ),
            select(traces.value).where(
                and_(traces.key == ARTIFACTS_OF_TRACE, traces.value.not_like(_named(traces.request_id)))
            ),
            select(experiments.c.artifact_location).where(experiments.c.artifact_location.is_not(None)),
        )
        .subquery()
        .c.location
    )


def _named(item_id: ColumnElement[str]) -> ColumnElement[str]:
    return literal("%/") + item_id + literal("/artifacts")
