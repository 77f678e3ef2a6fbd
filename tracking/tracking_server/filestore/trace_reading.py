"""Traces of a folder and their assessments, as MLflow 2.14 to 3.18 write them. What is broken is a fault and left out.

Spans are no part of it: they are an artifact of the trace, and stay where that is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from tracking_server.database.migrations.mlflow.trace_analytics import (
    COST,
    NAME_TAG,
    SESSION,
    TOKEN_USAGE,
    aggregate,
    trace_values,
)
from tracking_server.database.statements.collect import ARTIFACTS_OF_TRACE
from tracking_server.filestore.addresses import Rewrite, rewritten
from tracking_server.filestore.folder import Broken, Folder
from tracking_server.filestore.reading import number_of, text_of
from tracking_server.filestore.rows import Assessment, FoundTrace, Trace

TRACES: Final = "traces"
INFO: Final = "trace_info.yaml"
TAGS: Final = "tags"
METADATA: Final = "request_metadata"
ASSESSMENTS: Final = "assessments"
SUFFIX: Final = ".yaml"

IN_PROGRESS: Final = "IN_PROGRESS"
UNSPECIFIED: Final = "STATE_UNSPECIFIED"
OLD_UNSPECIFIED: Final = "TRACE_STATUS_UNSPECIFIED"
"""As it was called before MLflow 3."""
STATES: Final = ("OK", "ERROR", IN_PROGRESS, UNSPECIFIED)
IN_COLUMNS: Final = frozenset({SESSION, TOKEN_USAGE, COST})
"""Metadata that have columns of their own since MLflow 3.17, and rows no more."""

SOURCE_RUN: Final = "mlflow.assessment.sourceRunId"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def trace_names(folder: Folder, experiment_path: str) -> list[str]:
    return folder.folders(f"{experiment_path}/{TRACES}")


def read_trace(folder: Folder, path: str, experiment_id: int, rewrites: Sequence[Rewrite] = ()) -> FoundTrace:
    """Raises Broken."""
    trace_id = path.rpartition("/")[2]
    meta = folder.mapping(f"{path}/{INFO}")
    if (text_of(meta, "trace_id") or text_of(meta, "request_id") or trace_id) != trace_id:
        raise Broken("its trace_id is not the name of its folder")
    tags = folder.texts(f"{path}/{TAGS}")
    metadata = folder.texts(f"{path}/{METADATA}")
    if ARTIFACTS_OF_TRACE in tags:
        tags[ARTIFACTS_OF_TRACE] = rewritten(tags[ARTIFACTS_OF_TRACE], rewrites) or ""
    values: Mapping[str, Any] = trace_values(tags.pop(NAME_TAG, None), metadata, {})
    row = Trace(
        request_id=trace_id,
        experiment_id=experiment_id,
        timestamp_ms=_started(meta),
        execution_time_ms=_first_number(meta, "execution_duration_ms", "execution_time_ms"),
        status=_state(meta),
        client_request_id=text_of(meta, "client_request_id"),
        request_preview=text_of(meta, "request_preview"),
        response_preview=text_of(meta, "response_preview"),
        **values,
    )
    return FoundTrace(
        path=path,
        row=row,
        tags=tags,
        metadata={key: value for key, value in metadata.items() if key not in IN_COLUMNS},
        assessments=tuple(_assessments(folder, f"{path}/{ASSESSMENTS}", row)),
    )


def _assessments(folder: Folder, path: str, trace: Trace) -> Iterator[Assessment]:
    for inside, key in folder.files(path):
        if not key.endswith(SUFFIX):
            folder.faults.add(inside, "no assessment: its name does not end in .yaml")
            continue
        try:
            yield _assessment(folder.mapping(inside), key.removesuffix(SUFFIX), trace)
        except Broken as broken:
            folder.faults.add(inside, str(broken))


def _assessment(meta: Mapping[str, object], file_name: str, trace: Trace) -> Assessment:
    kind, value, error = _judgement(meta)
    source, metadata = _mapping(meta, "source"), _mapping(meta, "metadata")
    encoded = _json(value)
    aggregate_value, is_numeric = aggregate(encoded)
    name = text_of(meta, "assessment_name") or text_of(meta, "name")
    if name is None:
        raise Broken("it has no assessment_name")
    return Assessment(
        assessment_id=text_of(meta, "assessment_id") or file_name,
        trace_id=trace.request_id,
        name=name,
        assessment_type=kind,
        value=encoded,
        error=_json(error) if error else None,
        created_timestamp=milliseconds_of(meta, "create_time"),
        last_updated_timestamp=milliseconds_of(meta, "last_update_time"),
        source_type=text_of(source, "source_type") or "CODE",
        source_id=text_of(source, "source_id"),
        run_id=text_of(meta, "run_id") or text_of(metadata, SOURCE_RUN),
        span_id=text_of(meta, "span_id"),
        rationale=text_of(meta, "rationale"),
        overrides=text_of(meta, "overrides"),
        valid=meta.get("valid", True) is not False,
        assessment_metadata=_json(metadata) if metadata else None,
        experiment_id=trace.experiment_id,
        trace_timestamp_ms=trace.timestamp_ms,
        aggregate_value=aggregate_value,
        is_numeric_value=is_numeric,
    )


def _judgement(meta: Mapping[str, object]) -> tuple[str, object, Mapping[str, object]]:
    """The type, the value and the error."""
    if feedback := _mapping(meta, "feedback"):
        return "feedback", feedback.get("value"), _mapping(feedback, "error")
    if expectation := _mapping(meta, "expectation"):
        return "expectation", _expected(expectation), {}
    if issue := _mapping(meta, "issue"):
        return "issue", issue, {}
    raise Broken("neither feedback nor expectation nor issue")


def _expected(expectation: Mapping[str, object]) -> object:
    """What is no text or number is kept as JSON within the YAML."""
    if "value" in expectation:
        return expectation["value"]
    try:
        return json.loads(text_of(_mapping(expectation, "serialized_value"), "value") or "")
    except ValueError:
        raise Broken("its serialized_value is not JSON") from None


def _json(value: object) -> str:
    """Of what is no JSON, MLflow could read no assessment of the experiment."""
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise Broken("its value has no form in JSON") from None


def _mapping(meta: Mapping[str, object], key: str) -> dict[str, object]:
    """Empty when it is not there."""
    value = meta.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Broken(f"its {key} is no mapping")
    return {str(name): each for name, each in cast("dict[object, object]", value).items()}


def _state(meta: Mapping[str, object]) -> str:
    state = text_of(meta, "state") or text_of(meta, "status")
    if state == OLD_UNSPECIFIED:
        return UNSPECIFIED
    if state not in STATES:
        raise Broken("it has no state" if state is None else f"its state is {state!r}")
    return state


def _started(meta: Mapping[str, object]) -> int:
    old = number_of(meta, "timestamp_ms")
    return milliseconds_of(meta, "request_time") if old is None else old


def _first_number(meta: Mapping[str, object], *keys: str) -> int | None:
    return next((number for key in keys if (number := number_of(meta, key)) is not None), None)


def milliseconds_of(meta: Mapping[str, object], key: str) -> int:
    """Milliseconds since the epoch. MLflow writes times as its messages have them in JSON."""
    value = meta.get(key)
    if isinstance(value, int):
        return number_of(meta, key) or 0
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise Broken(f"it has no {key}" if value is None else f"its {key} is no time") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(milliseconds=1)


def written_time(milliseconds: int) -> str:
    """As MLflow writes it. Raises Broken."""
    try:
        moment = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        raise Broken(f"its time {milliseconds} is in no year that can be written") from None
    fraction = "milliseconds" if milliseconds % 1000 else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=fraction) + "Z"
