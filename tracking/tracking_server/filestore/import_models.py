"""Logged models and the model registry: new ones are written, known ones stay as they are and get new versions."""

from collections.abc import Mapping, Sequence
from typing import Final

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import Place
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.reading import read_model, read_model_points
from tracking_server.filestore.registry_reading import read_registered_models
from tracking_server.filestore.rows import (
    FoundExperiment,
    FoundModel,
    FoundRegisteredModel,
    FoundVersion,
    ModelPoint,
)
from tracking_server.filestore.sink import BATCH_ROWS, Sink
from tracking_server.filestore.target import WORKSPACE, Target

BATCH_MODELS: Final = 100


def import_models(target: Target, experiment: FoundExperiment, place: Place) -> None:
    """After all runs, which the metrics of a model point to."""
    for names in batches(target.folder.folders(f"{experiment.path}/models"), BATCH_MODELS):
        known = {row.model_id for row in target.read(statements.SELECT_MODEL_IDS, {"model_ids": names})}
        new: list[FoundModel] = []
        for name in names:
            if name in known:
                continue
            path = f"{experiment.path}/models/{name}"
            try:
                found = read_model(target.folder, path, place.experiment_id or 0, target.options.rewrites)
                new.append(_fitted(target, found))
            except Broken as broken:
                target.faults.add(path, str(broken))
        target.write(new, lambda sink, models: _write_models(target, sink, models), lambda model: model.path)


def _fitted(target: Target, found: FoundModel) -> FoundModel:
    fit, path = target.fit, found.path
    return FoundModel(
        path=path,
        row=fit.row(schema.logged_models, found.row, path),
        params=fit.texts(schema.logged_model_params, ("param_key", "param_value"), found.params, f"{path}/params"),
        tags=fit.texts(schema.logged_model_tags, ("tag_key", "tag_value"), found.tags, f"{path}/tags"),
    )


def _write_models(target: Target, sink: Sink, models: Sequence[FoundModel]) -> Mapping[str, int]:
    sink.add(statements.MODELS, [model.row for model in models])
    keys = [(model, (model.row.model_id, model.row.experiment_id)) for model in models]
    params = [(*key, *param) for model, key in keys for param in model.params.items()]
    sink.add(statements.MODEL_PARAMS, params)
    tags = [(*key, *tag) for model, key in keys for tag in model.tags.items()]
    sink.add(statements.MODEL_TAGS, tags)
    return {
        "logged_models": len(models),
        "logged_model_params": len(params),
        "logged_model_tags": len(tags),
        "logged_model_metrics": sum(_write_points(target, sink, model) for model in models),
    }


def _write_points(target: Target, sink: Sink, model: FoundModel) -> int:
    path = f"{model.path}/metrics"
    number = 0
    for points in batches(read_model_points(target.folder, model), BATCH_ROWS):
        known = _runs_that_are_there(target, sink, path, points)
        kept = [target.fit.row(schema.logged_model_metrics, point, path) for point in points if point.run_id in known]
        sink.add(statements.MODEL_POINTS, kept)
        number += len(kept)
    return number


def _runs_that_are_there(target: Target, sink: Sink, path: str, points: Sequence[ModelPoint]) -> set[str]:
    run_ids = sorted({point.run_id for point in points})
    if sink.is_dry:
        return set(run_ids)
    known = {str(row.run_uuid) for row in sink.rows(statements.SELECT_RUN_IDS, {"run_ids": run_ids})}
    for run_id in run_ids:
        if run_id not in known:
            target.faults.add(path, f"run {run_id} is not there: its points were left out")
    return known


def import_registry(target: Target) -> None:
    for model in read_registered_models(target.folder, target.options.rewrites):
        target.write([model], lambda sink, models: _write_registered(target, sink, models[0]), lambda each: each.path)


def _write_registered(target: Target, sink: Sink, model: FoundRegisteredModel) -> Mapping[str, int]:
    row = target.fit.row(schema.registered_models, model.row, model.path)
    known = sink.rows(statements.SELECT_REGISTERED, {"name": row.name})
    if known and known[0].creation_time != row.creation_time:
        raise Broken("the database has another registered model of that name: nothing of this one was written")
    counts = {} if known else _write_new_registered(target, sink, model)
    versions = _new_versions(target, sink, model)
    sink.add(statements.VERSIONS, [each.row for each in versions], workspace=WORKSPACE)
    tags = [(each.row.name, each.row.version, *tag) for each in versions for tag in each.tags.items()]
    sink.add(statements.VERSION_TAGS, tags, workspace=WORKSPACE)
    return {**counts, "model_versions": len(versions), "model_version_tags": len(tags)}


def _write_new_registered(target: Target, sink: Sink, model: FoundRegisteredModel) -> dict[str, int]:
    fit, path = target.fit, model.path
    row = fit.row(schema.registered_models, model.row, path)
    tags = fit.texts(schema.registered_model_tags, ("key", "value"), model.tags, f"{path}/tags")
    sink.add(statements.REGISTERED, [row], workspace=WORKSPACE)
    sink.add(statements.REGISTERED_TAGS, [(row.name, *tag) for tag in tags.items()], workspace=WORKSPACE)
    aliases = [(row.name, alias, version) for alias, version in model.aliases.items()]
    sink.add(statements.ALIASES, aliases, workspace=WORKSPACE)
    return {"registered_models": 1, "registered_model_tags": len(tags), "registered_model_aliases": len(aliases)}


def _new_versions(target: Target, sink: Sink, model: FoundRegisteredModel) -> list[FoundVersion]:
    known = {row.version for row in sink.rows(statements.SELECT_VERSIONS, {"name": model.row.name})}
    new: list[FoundVersion] = []
    for version in model.versions:
        path = f"{model.path}/version-{version.row.version}"
        if version.row.version in known:
            continue
        try:
            row = target.fit.row(schema.model_versions, version.row, path)
        except Broken as broken:
            target.faults.add(path, str(broken))
            continue
        tags = target.fit.texts(schema.model_version_tags, ("key", "value"), version.tags, f"{path}/tags")
        new.append(FoundVersion(row=row, tags=tags))
    return new
