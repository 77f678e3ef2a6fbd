"""Logged models: new ones are written, of known ones the tags are merged."""

from collections.abc import Mapping, Sequence
from typing import Final

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.database.statements import tags as tag_statements
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import Place
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.merging import both_texts, merge
from tracking_server.filestore.reading import META, read_model, read_model_points
from tracking_server.filestore.rows import FoundExperiment, FoundModel, ModelPoint
from tracking_server.filestore.sink import BATCH_ROWS, Sink
from tracking_server.filestore.target import Target

BATCH_MODELS: Final = 100


def import_models(target: Target, experiment: FoundExperiment, place: Place) -> None:
    """After all runs, which the metrics of a model point to."""
    for names in batches(target.folder.folders(f"{experiment.path}/models"), BATCH_MODELS):
        known = {row.model_id for row in target.read(statements.SELECT_MODEL_IDS, {"model_ids": names})}
        new: list[FoundModel] = []
        again: list[FoundModel] = []
        for name in names:
            path = f"{experiment.path}/models/{name}"
            if name in known and not target.is_fresh(f"{path}/{META}") and not target.is_fresh(f"{path}/tags"):
                continue
            try:
                found = read_model(target.folder, path, place.experiment_id or 0, target.options.rewrites)
                (again if name in known else new).append(_fitted(target, found))
            except Broken as broken:
                target.faults.add(path, str(broken))
        target.write(new, lambda sink, models: _write_models(target, sink, models), lambda model: model.path)
        _merge_models(target, again)


def _merge_models(target: Target, models: Sequence[FoundModel]) -> None:
    if not models:
        return
    known: dict[str, dict[str, object]] = {}
    model_ids = {"model_ids": [model.row.model_id for model in models]}
    for model_id, key, value in target.read(tag_statements.SELECT_OF_MODELS, model_ids):
        known.setdefault(model_id, {})[key] = value
    merge(
        target,
        [
            both_texts(
                statements.MODEL_TAGS,
                f"{model.path}/tags",
                (model.row.model_id, model.row.experiment_id),
                model.tags,
                known.get(model.row.model_id, {}),
            )
            for model in models
        ],
    )


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
    sink.add(statements.MODEL_TAGS.add, tags)
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
