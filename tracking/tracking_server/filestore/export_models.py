"""Logged models and the model registry into their folders."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from tracking_server.database import schema
from tracking_server.database.statements import metrics as metric_statements
from tracking_server.database.statements import params as param_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.filestore.addresses import rewritten
from tracking_server.filestore.reading import META, REGISTRY
from tracking_server.filestore.writing import NewFolder, is_name, pages

PAGE_MODELS: Final = 100

_models = schema.logged_models.c
_SELECT_PAGE: Final = (
    select(schema.logged_models)
    .where(_models.model_id > bindparam("after"))
    .order_by(_models.model_id)
    .limit(PAGE_MODELS)
)


def write_logged_models(connection: Connection, folder: NewFolder, experiments: Mapping[int, str]) -> None:
    for page in pages(connection, _SELECT_PAGE, "model_id"):
        paths: dict[str, str] = {}
        for row in page:
            if is_name(row.model_id):
                paths[row.model_id] = f"{experiments[row.experiment_id]}/models/{row.model_id}"
                _write_meta(folder, paths[row.model_id], row)
            else:
                folder.faults.add(row.model_id, "its id cannot be the name of a folder: left out")
        model_ids = {"model_ids": list(paths)}
        for model_id, key, value in connection.execute(param_statements.SELECT_OF_MODELS, model_ids).all():
            folder.text(f"{paths[model_id]}/params", key, value, "logged_model_params")
        for model_id, key, value in connection.execute(tag_statements.SELECT_OF_MODELS, model_ids).all():
            folder.text(f"{paths[model_id]}/tags", key, value, "logged_model_tags")
        _write_points(connection, folder, paths)


def _write_meta(folder: NewFolder, path: str, row: Row[Any]) -> None:
    meta = {
        "artifact_location": rewritten(row.artifact_location, folder.rewrites),
        "creation_timestamp": row.creation_timestamp_ms,
        "experiment_id": str(row.experiment_id),
        "last_updated_timestamp": row.last_updated_timestamp_ms,
        "lifecycle_stage": row.lifecycle_stage or "active",
        "model_id": row.model_id,
        "model_type": row.model_type,
        "name": row.name,
        "source_run_id": row.source_run_id,
        "status": row.status,
        "status_message": row.status_message,
    }
    folder.yaml(f"{path}/{META}", meta, "logged_models")
    for name in ("metrics", "params", "tags"):
        folder.make(f"{path}/{name}")


def _write_points(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    """A file of each metric, whose lines are parted by spaces: a dataset whose name has some cannot be told in it."""
    files: dict[tuple[str, str], list[str]] = {}
    for row in connection.execute(metric_statements.SELECT_OF_MODELS, {"model_ids": list(paths)}).all():
        value = 0.0 if row.metric_value is None else float(row.metric_value)
        line = f"{row.metric_timestamp_ms} {value!r} {row.metric_step} {row.run_id}"
        dataset = f"{row.dataset_name} {row.dataset_digest}"
        if row.dataset_name and row.dataset_digest and len(dataset.split()) == 2:
            line = f"{line} {dataset}"
        elif row.dataset_name or row.dataset_digest:
            folder.faults.add(f"{paths[row.model_id]}/metrics/{row.metric_name}", "the dataset of a point was left out")
        files.setdefault((row.model_id, row.metric_name), []).append(line)
    for (model_id, key), lines in files.items():
        with folder.file(f"{paths[model_id]}/metrics", key) as file:
            for line in sorted(lines):
                if file is not None:
                    file.write(f"{line}\n")
                    folder.count("logged_model_metrics")


def write_registry(connection: Connection, folder: NewFolder) -> None:
    models = schema.registered_models
    paths: dict[str, str] = {}
    aliases = _aliases(connection)
    for row in connection.execute(select(models).order_by(models.c.name)).all():
        if not is_name(row.name):
            folder.faults.add(row.name, "the name of the registered model cannot be that of a folder: left out")
            continue
        paths[row.name] = f"{REGISTRY}/{row.name}"
        meta = {
            "aliases": {alias: str(version) for alias, version in aliases.get(row.name, {}).items()},
            "creation_timestamp": row.creation_time,
            "description": row.description,
            "last_updated_timestamp": row.last_updated_time,
            "name": row.name,
        }
        folder.yaml(f"{paths[row.name]}/{META}", meta, "registered_models")
        for alias, version in aliases.get(row.name, {}).items():
            folder.text(f"{paths[row.name]}/aliases", alias, str(version), "registered_model_aliases")
    for tag in connection.execute(select(schema.registered_model_tags)).all():
        if tag.name in paths:
            folder.text(f"{paths[tag.name]}/tags", tag.key, tag.value or "", "registered_model_tags")
    _write_versions(connection, folder, paths)


def _aliases(connection: Connection) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(schema.registered_model_aliases)).all():
        found.setdefault(row.name, {})[row.alias] = row.version
    return found


def _write_versions(connection: Connection, folder: NewFolder, paths: Mapping[str, str]) -> None:
    for row in connection.execute(select(schema.model_versions)).all():
        if row.name not in paths:
            folder.faults.add(f"{row.name}/version-{row.version}", "its registered model is not there: left out")
            continue
        meta: dict[str, object] = {
            "aliases": [],
            "creation_timestamp": row.creation_time,
            "current_stage": row.current_stage,
            "description": row.description,
            "last_updated_timestamp": row.last_updated_time,
            "name": row.name,
            "run_id": row.run_id,
            "run_link": row.run_link,
            "source": rewritten(row.source, folder.rewrites),
            "status": row.status,
            "status_message": row.status_message,
            "storage_location": rewritten(row.storage_location, folder.rewrites),
            "user_id": row.user_id,
            "version": row.version,
        }
        folder.yaml(f"{paths[row.name]}/version-{row.version}/{META}", meta, "model_versions")
    for tag in connection.execute(select(schema.model_version_tags)).all():
        if tag.name in paths:
            path = f"{paths[tag.name]}/version-{tag.version}/tags"
            folder.text(path, tag.key, tag.value or "", "model_version_tags")
