"""Traces and their assessments into their folders, as MLflow 3 writes them. Spans have no place there."""

import json
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from tracking_server.database import schema
from tracking_server.database.migrations.mlflow.trace_analytics import (
    COST,
    COSTS,
    NAME_TAG,
    SESSION,
    TOKEN_USAGE,
    TOKENS,
)
from tracking_server.database.statements.collect import ARTIFACTS_OF_TRACE
from tracking_server.filestore import statements
from tracking_server.filestore.addresses import rewritten
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.rows import Assessment
from tracking_server.filestore.trace_reading import (
    ASSESSMENTS,
    INFO,
    METADATA,
    OLD_UNSPECIFIED,
    SUFFIX,
    TAGS,
    TRACES,
    UNSPECIFIED,
    written_time,
)
from tracking_server.filestore.writing import NewFolder, is_name, pages
from tracking_server.progress import Progress

PAGE_TRACES: Final = 100

_traces = schema.trace_info.c
_SELECT_PAGE: Final = (
    select(schema.trace_info)
    .where(_traces.request_id > bindparam("after"))
    .order_by(_traces.request_id)
    .limit(PAGE_TRACES)
)


def write_traces(connection: Connection, folder: NewFolder, experiments: Mapping[int, str], progress: Progress) -> None:
    for page in pages(connection, _SELECT_PAGE, "request_id"):
        paths: dict[str, str] = {}
        for row in page:
            path = f"{experiments[row.experiment_id]}/{TRACES}/{row.request_id}"
            if not is_name(row.request_id):
                folder.faults.add(row.request_id, "its id cannot be the name of a folder: left out")
                continue
            try:
                folder.yaml(f"{path}/{INFO}", _info(row), "traces")
            except Broken as broken:
                folder.faults.add(path, f"{broken}: left out")
                continue
            paths[row.request_id] = path
            _write_columns(folder, path, row)
        _write_texts(connection, folder, paths)
        _write_assessments(connection, folder, paths)
        progress.advance(len(page))
    progress.end()


def _info(row: Row[Any]) -> dict[str, object]:
    """Raises Broken."""
    optional = {
        "client_request_id": row.client_request_id,
        "execution_duration_ms": row.execution_time_ms,
        "request_preview": row.request_preview,
        "response_preview": row.response_preview,
    }
    return {
        "request_time": written_time(row.timestamp_ms),
        "state": UNSPECIFIED if row.status == OLD_UNSPECIFIED else row.status,
        "trace_id": row.request_id,
        "trace_location": {
            "mlflow_experiment": {"experiment_id": str(row.experiment_id)},
            "type": "MLFLOW_EXPERIMENT",
        },
        **{key: value for key, value in optional.items() if value is not None},
    }


def _write_columns(folder: NewFolder, path: str, row: Row[Any]) -> None:
    """What was a tag or metadata before it had columns, and is so in a folder."""
    for name in (TAGS, METADATA):
        folder.make(f"{path}/{name}")
    if row.trace_name is not None:
        folder.text(f"{path}/{TAGS}", NAME_TAG, row.trace_name, "trace_tags")
    if row.session_id is not None:
        folder.text(f"{path}/{METADATA}", SESSION, row.session_id, "trace_metadata")
    for key, columns in ((TOKEN_USAGE, TOKENS), (COST, COSTS)):
        values = {name: value for name in columns if (value := getattr(row, name)) is not None}
        if values:
            folder.text(f"{path}/{METADATA}", key, json.dumps(values), "trace_metadata")


def _write_texts(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    trace_ids = {"trace_ids": list(paths)}
    for trace_id, key, value in connection.execute(statements.SELECT_TRACE_TAGS, trace_ids).all():
        text = rewritten(value, folder.rewrites) if key == ARTIFACTS_OF_TRACE else value
        folder.text(f"{paths[trace_id]}/{TAGS}", key, text or "", "trace_tags")
    for trace_id, key, value in connection.execute(statements.SELECT_TRACE_METADATA, trace_ids).all():
        folder.text(f"{paths[trace_id]}/{METADATA}", key, value or "", "trace_metadata")


def _write_assessments(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    for row in connection.execute(statements.SELECT_ASSESSMENTS, {"trace_ids": list(paths)}).all():
        assessment = Assessment(*row)
        name = f"{assessment.assessment_id}{SUFFIX}"
        path = f"{paths[assessment.trace_id]}/{ASSESSMENTS}/{name}"
        if not is_name(name):
            folder.faults.add(path, "its id cannot be the name of a file: left out")
            continue
        try:
            folder.yaml(path, _assessment(assessment), "assessments")
        except Broken as broken:
            folder.faults.add(path, f"{broken}: left out")


def _assessment(row: Assessment) -> dict[str, object]:
    """Raises Broken."""
    source = {"source_id": row.source_id, "source_type": row.source_type}
    optional = {
        "metadata": _parsed(row.assessment_metadata),
        "overrides": row.overrides,
        "rationale": row.rationale,
        "run_id": row.run_id,
        "span_id": row.span_id,
    }
    return {
        "assessment_id": row.assessment_id,
        "assessment_name": row.name,
        "create_time": written_time(row.created_timestamp),
        row.assessment_type: _judgement(row),
        "last_update_time": written_time(row.last_updated_timestamp),
        "source": {key: value for key, value in source.items() if value is not None},
        "trace_id": row.trace_id,
        "valid": bool(row.valid),
        **{key: value for key, value in optional.items() if value is not None},
    }


def _judgement(row: Assessment) -> object:
    value = _parsed(row.value)
    match row.assessment_type:
        case "feedback":
            error = _parsed(row.error)
            return {"value": value, **({"error": error} if error else {})}
        case "expectation" if isinstance(value, str | int | float):
            return {"value": value}
        case "expectation":
            return {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": row.value}}
        case "issue":
            return value
        case other:
            raise Broken(f"an assessment of the type {other!r}")


def _parsed(text: str | None) -> Any:
    """Raises Broken."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        raise Broken("what it holds is not JSON") from None
