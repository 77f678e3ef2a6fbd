"""Runs of all experiments into their folders, a page at a time; metrics go through without being held."""

import hashlib
from collections.abc import Mapping
from itertools import groupby
from typing import IO, Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from tracking_server.database import schema
from tracking_server.database.statements import inputs as edges
from tracking_server.database.statements import params as param_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.lists import one_of
from tracking_server.filestore.addresses import rewritten
from tracking_server.filestore.reading import META, SOURCE_TYPES, STATUSES
from tracking_server.filestore.writing import NewFolder, is_name, pages
from tracking_server.progress import Progress

PAGE_RUNS: Final = 100
_STREAMED_ROWS: Final = 5000
_STATUS_NUMBERS: Final = {name: number for number, name in STATUSES.items()}
_SOURCE_NUMBERS: Final = {name: number for number, name in SOURCE_TYPES.items()}

_runs = schema.runs.c
_SELECT_PAGE: Final = (
    select(schema.runs).where(_runs.run_uuid > bindparam("after")).order_by(_runs.run_uuid).limit(PAGE_RUNS)
)
_points = schema.metrics.c
_SELECT_POINTS: Final = (
    select(schema.metrics)
    .where(one_of(_points.run_uuid, "run_ids"))
    .order_by(_points.run_uuid, _points.key, _points.timestamp, _points.step, _points.value)
)


def write_runs(connection: Connection, folder: NewFolder, experiments: Mapping[int, str], progress: Progress) -> None:
    _write_datasets(connection, folder, experiments)
    for page in pages(connection, _SELECT_PAGE, "run_uuid"):
        paths: dict[str, str] = {}
        for row in page:
            if is_name(row.run_uuid) and row.experiment_id in experiments:
                paths[row.run_uuid] = f"{experiments[row.experiment_id]}/{row.run_uuid}"
                _write_meta(folder, paths[row.run_uuid], row)
            else:
                folder.faults.add(str(row.run_uuid), "its id cannot be the name of a folder: left out")
        _write_texts(connection, folder, paths)
        _write_edges(connection, folder, paths)
        _write_points(connection, folder, paths)
        progress.advance(len(page))
    progress.end()


def _write_meta(folder: NewFolder, path: str, row: Row[Any]) -> None:
    meta: dict[str, object] = {
        "artifact_uri": rewritten(row.artifact_uri, folder.rewrites),
        "end_time": row.end_time,
        "entry_point_name": row.entry_point_name,
        "experiment_id": str(row.experiment_id),
        "lifecycle_stage": row.lifecycle_stage or "active",
        "run_id": row.run_uuid,
        "run_name": row.name,
        "run_uuid": row.run_uuid,
        "source_name": row.source_name,
        "source_type": _SOURCE_NUMBERS.get(row.source_type or "", _SOURCE_NUMBERS["UNKNOWN"]),
        "source_version": row.source_version,
        "start_time": row.start_time,
        "status": _STATUS_NUMBERS.get(row.status or "", _STATUS_NUMBERS["RUNNING"]),
        "tags": [],
        "user_id": row.user_id,
    }
    if row.deleted_time is not None:
        meta["deleted_time"] = row.deleted_time
    folder.yaml(f"{path}/{META}", meta, "runs")
    for name in ("artifacts", "metrics", "params", "tags"):
        folder.make(f"{path}/{name}")


def _write_texts(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    run_ids = {"run_ids": list(paths)}
    for noun, statement in (("params", param_statements.SELECT_OF_RUNS), ("tags", tag_statements.SELECT_OF_RUNS)):
        for run_id, key, value in connection.execute(statement, run_ids).all():
            folder.text(f"{paths[run_id]}/{noun}", key, value or "", noun)


def _write_datasets(connection: Connection, folder: NewFolder, experiments: Mapping[int, str]) -> None:
    rows = connection.execute(select(schema.datasets), execution_options={"yield_per": _STREAMED_ROWS})
    for row in rows:
        meta = {
            "digest": row.digest,
            "name": row.name,
            "profile": row.dataset_profile,
            "schema": row.dataset_schema,
            "source": row.dataset_source,
            "source_type": row.dataset_source_type,
        }
        path = f"{experiments[row.experiment_id]}/datasets/{_hash(row.name, row.digest)}"
        folder.yaml(f"{path}/{META}", meta, "datasets")


def _write_edges(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    """Folders have the names that MLflow gives them, by which it finds an input that is there already."""
    rows = connection.execute(edges.SELECT_DATASETS_OF_RUNS, {"run_ids": list(paths)}).all()
    for _, of_edge in groupby(rows, key=lambda row: str(row.input_uuid)):
        tags = list(of_edge)
        row = tags[0]
        dataset = _hash(row.name, row.digest)
        meta = _input(edges.DATASET, dataset, row.destination_id)
        meta["tags"] = {each.tag_key: each.tag_value for each in tags if each.tag_key is not None}
        folder.yaml(f"{paths[row.destination_id]}/inputs/{_hash(dataset, row.destination_id)}/{META}", meta, "inputs")
    parameters = {"run_ids": list(paths), "edge_types": [edges.RUN_INPUT, edges.RUN_OUTPUT]}
    for edge_type, run_id, model_id, step in connection.execute(edges.SELECT_MODELS_OF_RUNS, parameters).all():
        if edge_type == edges.RUN_INPUT:
            path = f"{paths[run_id]}/inputs/{_hash(model_id, run_id)}/{META}"
            folder.yaml(path, _input("MODEL", model_id, run_id), "inputs")
        elif is_name(model_id):
            folder.yaml(f"{paths[run_id]}/outputs/{model_id}/{META}", _output(model_id, step), "outputs")
        else:
            folder.faults.add(f"{paths[run_id]}/outputs", "the id of a model cannot be the name of a folder: left out")


def _input(source_type: str, source_id: str, run_id: str) -> dict[str, object]:
    return {
        "destination_id": run_id,
        "destination_type": "RUN",
        "source_id": source_id,
        "source_type": source_type,
        "tags": {},
    }


def _output(model_id: str, step: int) -> dict[str, object]:
    return {
        "destination_id": model_id,
        "destination_type": edges.MODEL_OUTPUT,
        "source_id": model_id,
        "source_type": edges.RUN_OUTPUT,
        "step": step,
        "tags": {},
    }


def _write_points(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    options = {"yield_per": _STREAMED_ROWS}
    rows = connection.execute(_SELECT_POINTS, {"run_ids": list(paths)}, execution_options=options)
    for (run_id, key), points in groupby(rows, key=lambda row: (str(row.run_uuid), str(row.key))):
        with folder.file(f"{paths[run_id]}/metrics", key) as file:
            for point in points:
                if file is not None:
                    _write_point(file, point)
                    folder.count("metrics")


def _write_point(file: IO[str], point: Row[Any]) -> None:
    value = "nan" if point.is_nan else repr(float(point.value))
    file.write(f"{point.timestamp} {value} {point.step}\n")


def _hash(first: str, second: str) -> str:
    return hashlib.md5(f"{first}{second}".encode(), usedforsecurity=False).hexdigest()
