"""Assessments, as far as runs concern them."""

import json

from sqlalchemy import Delete, bindparam, delete

from tracking_server.database.schema import assessments
from tracking_server.database.statements.bulk_insert import Prepared

_SOURCE_RUN_KEY = "mlflow.assessment.sourceRunId"

_DELETE: Delete = delete(assessments).where(assessments.c.assessment_metadata.like(bindparam("pattern"), escape="\\"))


def delete_from_source_run(run_id: str) -> Prepared:
    """Assessments whose metadata, JSON text, names the run as their source."""
    named = json.dumps({_SOURCE_RUN_KEY: run_id})[1:-1]
    escaped = named.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Prepared(_DELETE, {"pattern": f"%{escaped}%"})
