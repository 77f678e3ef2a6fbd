"""Folders of MLflow's FileStore for tests: one that MLflow 2.9.2 wrote, and small ones that are made on the spot."""

import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import yaml
from sqlalchemy import Table, func, select

from tracking_server.database import schema
from tracking_server.database.transactions import Database
from tracking_server.filestore.exporting import EXPORTED
from tracking_server.filestore.importing import import_folder
from tracking_server.filestore.target import Imported, Options

ARCHIVE: Final = Path(__file__).parents[1] / "data" / "mlruns-2.9.2.tar.gz"
SINCE: Final = 1_700_000_000_000


def unpack_golden(folder: Path) -> Path:
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder / "mlruns"


def golden_as_sql_has_it() -> dict[str, list[dict[str, Any]]]:
    """What MLflow's client read from it, with infinities as the numbers that an SQL store makes of them, sorted."""
    read: dict[str, Any] = json.loads(ARCHIVE.with_name("mlruns-2.9.2.json").read_text())
    runs = [
        {
            **run,
            "latest_metrics": {key: _finite(value) for key, value in run["latest_metrics"].items()},
            "metric_history": {
                key: sorted([step, time, _finite(value)] for step, time, value in points)
                for key, points in run["metric_history"].items()
            },
            "dataset_inputs": sorted(run["dataset_inputs"], key=lambda each: each["name"]),
        }
        for run in read["runs"]
    ]
    return {
        "experiments": sorted(read["experiments"], key=lambda each: each["experiment_id"]),
        "runs": sorted(runs, key=lambda each: each["run_id"]),
        "registered_models": sorted(
            ({key: value for key, value in model.items() if key != "is_prompt"} for model in read["registered_models"]),
            key=lambda each: each["name"],
        ),
    }


def comparable(read: Any) -> Any:
    """NaN, which equals nothing, as a word; numbers as floats where a metric may be either."""
    if isinstance(read, dict):
        return {key: comparable(value) for key, value in cast("dict[str, Any]", read).items()}
    if isinstance(read, list):
        return [comparable(value) for value in cast("list[object]", read)]
    return "NaN" if isinstance(read, float) and read != read else read  # noqa: PLR0124 - it is how NaN is told


def _finite(value: float | str) -> float | str:
    return {"Infinity": sys.float_info.max, "-Infinity": -sys.float_info.max}.get(str(value), value)


def write_yaml(file: Path, meta: Mapping[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(dict(meta), allow_unicode=True))


def add_experiment(root: Path, experiment_id: int, name: str, **meta: object) -> Path:
    folder = root / str(experiment_id)
    given = {
        "artifact_location": f"file:///elsewhere/mlruns/{experiment_id}",
        "creation_time": SINCE + experiment_id % 1000,
        "experiment_id": str(experiment_id),
        "last_update_time": SINCE,
        "lifecycle_stage": "active",
        "name": name,
    }
    write_yaml(folder / "meta.yaml", given | meta)
    return folder


def add_run(
    experiment: Path,
    run_id: str,
    *,
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
    metrics: Mapping[str, Sequence[str]] | None = None,
    **meta: object,
) -> Path:
    """`metrics`: lines by their keys."""
    folder = experiment / run_id
    given: dict[str, object] = {
        "artifact_uri": f"file:///elsewhere/mlruns/{experiment.name}/{run_id}/artifacts",
        "end_time": SINCE + 1000,
        "experiment_id": experiment.name,
        "lifecycle_stage": "active",
        "run_id": run_id,
        "run_name": f"run {run_id[:4]}",
        "run_uuid": run_id,
        "source_type": 4,
        "start_time": SINCE,
        "status": 3,
        "tags": [],
        "user_id": "me",
    }
    write_yaml(folder / "meta.yaml", given | meta)
    for kind, texts in (("params", params or {}), ("tags", tags or {})):
        for key, value in texts.items():
            write_text(folder / kind / key, value)
    for key, lines in (metrics or {}).items():
        write_text(folder / "metrics" / key, "".join(f"{line}\n" for line in lines))
    return folder


def add_trace(
    experiment: Path,
    trace_id: str,
    *,
    tags: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    assessments: Mapping[str, Mapping[str, object]] | None = None,
    **info: object,
) -> Path:
    """As MLflow 3 writes it. `assessments`: what differs from feedback of a person, by the ids."""
    folder = experiment / "traces" / trace_id
    given: dict[str, object] = {
        "execution_duration_ms": 7,
        "request_preview": "what is it?",
        "request_time": "2023-11-14T22:13:20.500Z",
        "response_preview": "it is that",
        "state": "OK",
        "trace_id": trace_id,
        "trace_location": {"mlflow_experiment": {"experiment_id": experiment.name}, "type": "MLFLOW_EXPERIMENT"},
    }
    write_yaml(folder / "trace_info.yaml", given | info)
    for kind, texts in (("tags", tags or {}), ("request_metadata", metadata or {})):
        (folder / kind).mkdir(exist_ok=True)
        for key, value in texts.items():
            write_text(folder / kind / key, value)
    for assessment_id, fields in (assessments or {}).items():
        assessment: dict[str, object] = {
            "assessment_id": assessment_id,
            "assessment_name": "good",
            "create_time": "2023-11-14T22:13:21Z",
            "feedback": {"value": True},
            "last_update_time": "2023-11-14T22:13:22Z",
            "source": {"source_id": "me", "source_type": "HUMAN"},
            "trace_id": trace_id,
            "valid": True,
        }
        write_yaml(folder / "assessments" / f"{assessment_id}.yaml", assessment | dict(fields))
    return folder


def add_old_trace(experiment: Path, **fields: object) -> None:
    """As MLflow 2 wrote it."""
    folder = experiment / "traces" / "old"
    info = {"request_id": "old", "experiment_id": experiment.name, "timestamp_ms": SINCE + 500}
    write_yaml(folder / "trace_info.yaml", {**info, "execution_time_ms": 7, "status": "OK", **fields})
    write_text(folder / "request_metadata" / "mlflow.traceInputs", "{}")
    (folder / "tags").mkdir()


def bring(database: Database, folder: Path, **options: Any) -> Imported:
    return import_folder(database, folder, Options(**options))


def number_of(database: Database, name: str) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(schema.metadata.tables[name])) or 0


def write_text(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def run_id(number: int) -> str:
    return f"{number:032x}"


def rows_of(database: Database, *, without: frozenset[str] = frozenset()) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the tables that a folder has a place for, sorted; ids that are made up as what they stand for."""
    with database.read() as connection:
        found = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in schema.metadata.sorted_tables
            if table.name in EXPORTED - without - {"workspaces"}
        }
    datasets = {
        row["dataset_uuid"]: f"{row['experiment_id']} {row['name']} {row['digest']}" for row in found["datasets"]
    }
    edges = {
        row["input_uuid"]: f"{datasets.get(row['source_id'], row['source_id'])} {row['destination_id']}"
        for row in found["inputs"]
    }
    told = datasets | edges
    return {
        name: sorted((tuple(_told(row, schema.metadata.tables[name], told)) for row in rows), key=repr)
        for name, rows in found.items()
    }


def _told(row: Mapping[str, Any], table: Table, told: Mapping[str, str]) -> list[Any]:
    return [
        told.get(row[each.name], row[each.name]) if isinstance(row[each.name], str) else row[each.name]
        for each in table.columns
    ]
