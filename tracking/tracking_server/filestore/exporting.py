"""A database into a new folder that MLflow's FileStore reads: one snapshot, streamed. The folder appears when whole."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Table, func, select

from tracking_server.database import schema
from tracking_server.database.start import ready_database
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, ExportFailed
from tracking_server.filestore.addresses import Rewrite, rewritten
from tracking_server.filestore.export_models import write_logged_models, write_registry
from tracking_server.filestore.export_runs import write_runs
from tracking_server.filestore.export_traces import write_traces
from tracking_server.filestore.folder import Faults
from tracking_server.filestore.reading import META, REGISTRY, TRASH
from tracking_server.filestore.writing import NewFolder
from tracking_server.progress import Progress, say_nothing

EXPORTED: Final = frozenset(
    {
        *("experiments", "experiment_tags", "runs", "params", "tags", "metrics", "latest_metrics"),
        *("datasets", "inputs", "input_tags"),
        *("logged_models", "logged_model_params", "logged_model_tags", "logged_model_metrics"),
        *("registered_models", "registered_model_tags", "registered_model_aliases"),
        *("model_versions", "model_version_tags", "workspaces"),
        *("trace_info", "trace_tags", "trace_request_metadata", "assessments"),
    }
)
"""The tables that have a place in such a folder; latest metrics are found again when it is read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportOptions:
    rewrites: Sequence[Rewrite] = ()
    say: Callable[[str], None] = say_nothing


@dataclass(kw_only=True, slots=True)
class Exported:
    """`left_out`: rows, by table, of what has no place in such a folder."""

    written: Mapping[str, int] = field(default_factory=dict[str, int])
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    faults: Faults = field(default_factory=Faults)


def export_folder(database: Database, target: Path, options: ExportOptions) -> Exported:
    """Raises CommandFailed, and leaves no folder then."""
    target = target.absolute()
    _require_new(target)
    ready_database(database, creates_schema=False)
    try:
        stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".exporting", dir=target.parent))
    except OSError as error:
        raise ConfigInvalid(f"No folder can be made in {target.parent}: {error.strerror}.") from error
    try:
        with database.snapshot() as connection:
            exported = _write(connection, NewFolder(stage, Faults(), options.rewrites), options)
        stage.chmod(0o755)
        stage.rename(target)
    except OSError as error:
        raise ExportFailed(f"The folder could not be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return exported


def _require_new(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ConfigInvalid(f"{target} is there, and no folder. Name one that is not there yet.")
    if target.is_dir() and any(target.iterdir()):
        raise ConfigInvalid(f"{target} is not empty. Name a folder that is not there yet.")
    if not target.parent.is_dir():
        raise ConfigInvalid(f"The folder {target.parent} does not exist. Make it, or correct the path.")


def _write(connection: Connection, folder: NewFolder, options: ExportOptions) -> Exported:
    for name in (TRASH, REGISTRY):
        folder.make(name)
    paths = _write_experiments(connection, folder)
    write_runs(connection, folder, paths, _progress(connection, options, schema.runs))
    write_logged_models(connection, folder, paths)
    write_traces(connection, folder, paths, _progress(connection, options, schema.trace_info))
    write_registry(connection, folder)
    return Exported(written=folder.written, left_out=_left_out(connection), faults=folder.faults)


def _progress(connection: Connection, options: ExportOptions, table: Table) -> Progress:
    total = connection.scalar(select(func.count()).select_from(table)) or 0
    return Progress(options.say, total, "traces" if table is schema.trace_info else "runs")


def _write_experiments(connection: Connection, folder: NewFolder) -> dict[int, str]:
    """The folder of each, by its id."""
    paths: dict[int, str] = {}
    columns = schema.experiments.c
    for row in connection.execute(select(schema.experiments).order_by(columns.experiment_id)).all():
        path = f"{TRASH}/{row.experiment_id}" if row.lifecycle_stage == "deleted" else str(row.experiment_id)
        paths[row.experiment_id] = path
        meta = {
            "artifact_location": rewritten(row.artifact_location, folder.rewrites),
            "creation_time": row.creation_time,
            "experiment_id": str(row.experiment_id),
            "last_update_time": row.last_update_time,
            "lifecycle_stage": row.lifecycle_stage or "active",
            "name": row.name,
        }
        folder.yaml(f"{path}/{META}", meta, "experiments")
    tags = schema.experiment_tags
    for tag in connection.execute(select(tags).order_by(tags.c.experiment_id, tags.c.key)).all():
        folder.text(f"{paths[tag.experiment_id]}/tags", tag.key, tag.value or "", "experiment_tags")
    return paths


def _left_out(connection: Connection) -> dict[str, int]:
    counts = {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0
        for table in schema.metadata.sorted_tables
        if table.name not in EXPORTED
    }
    return {name: number for name, number in counts.items() if number}
