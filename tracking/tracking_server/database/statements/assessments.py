"""Assessments, as far as runs concern them: they go with the run that their metadata names as its source."""

import json
from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, bindparam, delete, func, select

from tracking_server.database.schema import assessments, runs
from tracking_server.database.statements.bulk_insert import Prepared

_SOURCE_RUN_KEY: Final = "mlflow.assessment.sourceRunId"
_BEFORE_ID: Final = f'{json.dumps(_SOURCE_RUN_KEY)}: "'
"""MLflow writes the metadata as JSON, with a space behind each colon."""
_ID_CHARACTERS: Final = 32

_named = assessments.c.assessment_metadata

_DELETE: Delete = delete(assessments).where(_named.like(bindparam("pattern"), escape="\\"))


def delete_from_source_run(run_id: str) -> Prepared:
    named = json.dumps({_SOURCE_RUN_KEY: run_id})[1:-1]
    escaped = named.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Prepared(_DELETE, {"pattern": f"%{escaped}%"})


def delete_from_runs_of_experiment(experiment_id: int, dialect: str) -> Prepared:
    """In one pass over the assessments, however many runs there are."""
    of_experiment = select(runs.c.run_uuid).where(runs.c.experiment_id == bindparam("of_experiment"))
    statement = delete(assessments).where(
        _named.like(bindparam("pattern"), escape="\\"), _source_run(dialect).in_(of_experiment)
    )
    return Prepared(statement, {"pattern": f"%{_BEFORE_ID}%", "of_experiment": experiment_id})


def _source_run(dialect: str) -> ColumnElement[Any]:
    """What stands behind the key. No function for JSON: one row with other text would fail the statement."""
    match dialect:
        case "sqlite" | "mysql" | "mariadb":
            start = func.instr(_named, _BEFORE_ID)
        case "mssql":
            start = func.charindex(_BEFORE_ID, _named)
        case _:
            start = func.strpos(_named, _BEFORE_ID)
    cut = func.substring if dialect == "mssql" else func.substr
    return cut(_named, start + len(_BEFORE_ID), _ID_CHARACTERS)
