"""The traces of one experiment with their assessments, in batches: new ones are written, known ones are merged."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import Place
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.merging import Both, both_texts, merge
from tracking_server.filestore.rows import Assessment, FoundExperiment, FoundTrace
from tracking_server.filestore.sink import Sink
from tracking_server.filestore.target import Target
from tracking_server.filestore.trace_reading import (
    ASSESSMENTS,
    IN_PROGRESS,
    INFO,
    METADATA,
    SUFFIX,
    TAGS,
    TRACES,
    read_trace,
    trace_names,
)
from tracking_server.progress import Progress

BATCH_TRACES: Final = 100


def import_traces(target: Target, experiment: FoundExperiment, place: Place, progress: Progress) -> None:
    for names in batches(trace_names(target.folder, experiment.path), BATCH_TRACES):
        _import_batch(target, f"{experiment.path}/{TRACES}", place, names)
        progress.advance(len(names))


def _import_batch(target: Target, folder: str, place: Place, names: Sequence[str]) -> None:
    known = {row.request_id: row for row in target.read(statements.SELECT_KNOWN_TRACES, {"trace_ids": list(names)})}
    new: list[FoundTrace] = []
    again: list[FoundTrace] = []
    for name in names:
        path = f"{folder}/{name}"
        if name in known and _is_unchanged(target, path, known[name].status):
            target.imported.traces_known += 1
            continue
        try:
            found = _fitted(target, read_trace(target.folder, path, place.experiment_id or 0, target.options.rewrites))
        except Broken as broken:
            target.faults.add(path, str(broken))
            continue
        (again if name in known else new).append(found)
    target.write(new, _write_traces, lambda trace: trace.path)
    _merge(target, [(trace, known[trace.row.request_id]) for trace in again])


def _is_unchanged(target: Target, path: str, status: str) -> bool:
    return status != IN_PROGRESS and not any(
        target.is_fresh(f"{path}/{name}") for name in (INFO, TAGS, METADATA, ASSESSMENTS)
    )


def _fitted(target: Target, found: FoundTrace) -> FoundTrace:
    fit, path = target.fit, found.path
    return FoundTrace(
        path=path,
        row=fit.row(schema.trace_info, found.row, path),
        tags=fit.texts(schema.trace_tags, ("key", "value"), found.tags, f"{path}/{TAGS}"),
        metadata=fit.texts(schema.trace_request_metadata, ("key", "value"), found.metadata, f"{path}/{METADATA}"),
        assessments=[
            fitted for each in found.assessments if (fitted := _fitted_assessment(target, each, path)) is not None
        ],
    )


def _fitted_assessment(target: Target, assessment: Assessment, path: str) -> Assessment | None:
    file = f"{path}/{ASSESSMENTS}/{assessment.assessment_id}{SUFFIX}"
    try:
        return target.fit.row(schema.assessments, assessment, file)
    except Broken as broken:
        target.faults.add(file, str(broken))
        return None


def _write_traces(sink: Sink, traces: Sequence[FoundTrace]) -> Mapping[str, int]:
    sink.add(statements.TRACES, [trace.row for trace in traces])
    tags = [(trace.row.request_id, *tag) for trace in traces for tag in trace.tags.items()]
    sink.add(statements.TRACE_TAGS.add, tags)
    metadata = [(trace.row.request_id, *item) for trace in traces for item in trace.metadata.items()]
    sink.add(statements.TRACE_METADATA.add, metadata)
    assessments = [each for trace in traces for each in trace.assessments]
    sink.add(statements.ASSESSMENTS.add, assessments)
    return {
        "traces": len(traces),
        "trace_tags": len(tags),
        "trace_metadata": len(metadata),
        "assessments": len(assessments),
    }


# Known ones


def _merge(target: Target, pairs: Sequence[tuple[FoundTrace, Row[*tuple[Any, ...]]]]) -> None:
    """One that was not over when it was read is ended. Of one that is another, nothing is written."""
    same: list[FoundTrace] = []
    ended: list[FoundTrace] = []
    for trace, known in pairs:
        differs = _differs(trace, known)
        if differs:
            target.imported.tell_of("traces", trace.path, differs)
            continue
        same.append(trace)
        if known.status == IN_PROGRESS and trace.row.status != IN_PROGRESS:
            ended.append(trace)
        else:
            target.imported.traces_known += 1
    if target.write(ended, _end, lambda trace: trace.path):
        target.imported.traces_followed += len(ended)
    merge(target, _parts(target, same))


def _differs(trace: FoundTrace, known: Row[*tuple[Any, ...]]) -> list[str]:
    names = ["experiment_id", "timestamp_ms"]
    if known.status != IN_PROGRESS:
        names += ["status", "execution_time_ms"]
    return [name for name in names if getattr(trace.row, name) != getattr(known, name)]


def _end(sink: Sink, traces: Sequence[FoundTrace]) -> Mapping[str, int]:
    for trace in traces:
        values = {f"new_{name}": value for name, value in trace.row._asdict().items()}
        sink.execute(statements.END_TRACE, {"of_trace": trace.row.request_id, **values})
    return {}


def _parts(target: Target, traces: Sequence[FoundTrace]) -> list[Both]:
    if not traces:
        return []
    trace_ids = {"trace_ids": [trace.row.request_id for trace in traces]}
    tags: dict[str, dict[str, object]] = {}
    for trace_id, key, value in target.read(statements.SELECT_TRACE_TAGS, trace_ids):
        tags.setdefault(trace_id, {})[key] = value
    metadata: dict[str, dict[str, object]] = {}
    for trace_id, key, value in target.read(statements.SELECT_TRACE_METADATA, trace_ids):
        metadata.setdefault(trace_id, {})[key] = value
    known: dict[str, dict[str, object]] = {}
    for row in target.read(statements.SELECT_ASSESSMENTS, trace_ids):
        known.setdefault(row.trace_id, {})[row.assessment_id] = _told(Assessment(*row))
    parts: list[Both] = []
    for trace in traces:
        trace_id, path = trace.row.request_id, trace.path
        parts += [
            both_texts(statements.TRACE_TAGS, f"{path}/{TAGS}", (trace_id,), trace.tags, tags.get(trace_id, {})),
            both_texts(
                statements.TRACE_METADATA,
                f"{path}/{METADATA}",
                (trace_id,),
                trace.metadata,
                metadata.get(trace_id, {}),
            ),
            Both(
                texts=statements.ASSESSMENTS,
                path=f"{path}/{ASSESSMENTS}",
                suffix=SUFFIX,
                rows={each.assessment_id: each for each in trace.assessments},
                found={each.assessment_id: _told(each) for each in trace.assessments},
                known=known.get(trace_id, {}),
            ),
        ]
    return parts


def _told(assessment: Assessment) -> tuple[object, ...]:
    return assessment.value, assessment.last_updated_timestamp, assessment.valid
