"""Experiments, runs, datasets and logged models of a folder, one at a time. What is broken is a fault and left out."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from tracking_server.database.statements import inputs as edges
from tracking_server.database.statements.metrics import Point, stored_value
from tracking_server.entities.tags import RUN_NAME_TAG
from tracking_server.filestore.addresses import Rewrite, rewritten
from tracking_server.filestore.folder import Broken, Folder
from tracking_server.filestore.rows import (
    Dataset,
    Edge,
    Experiment,
    FoundEdge,
    FoundExperiment,
    FoundModel,
    FoundRun,
    LoggedModel,
    ModelPoint,
    Run,
)

META: Final = "meta.yaml"
TRASH: Final = ".trash"
REGISTRY: Final = "models"
RESERVED: Final = frozenset({"tags", "datasets", "traces", "models"})
"""Folders of an experiment that are no runs."""

STATUSES: Final = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
SOURCE_TYPES: Final = {1: "NOTEBOOK", 2: "JOB", 3: "PROJECT", 4: "LOCAL", 1000: "UNKNOWN"}
MODEL_STATUSES: Final = {"UNSPECIFIED": 0, "PENDING": 1, "READY": 2, "FAILED": 3}
STAGES: Final = ("active", "deleted")

_RUN_ID: Final = re.compile(r"[A-Za-z0-9][\w\-]{0,31}")
_MODEL_ID: Final = re.compile(r"[A-Za-z0-9][\w\-]{0,35}")
_INT64: Final = 2**63


def experiment_paths(folder: Folder) -> list[str]:
    """Names of folders that are whole numbers, in the root and in the trash."""
    return [
        f"{place}{name}" for place in ("", f"{TRASH}/") for name in folder.folders(place.rstrip("/")) if _is_id(name)
    ]


def run_names(folder: Folder, experiment_path: str) -> list[str]:
    return [name for name in folder.folders(experiment_path) if name not in RESERVED]


def read_experiment(folder: Folder, path: str, rewrites: Sequence[Rewrite] = ()) -> FoundExperiment:
    """Raises Broken."""
    meta = folder.mapping(f"{path}/{META}")
    name = path.rpartition("/")[2]
    if "experiment_id" in meta and str(meta["experiment_id"]) != name:
        raise Broken(f"its experiment_id is {meta['experiment_id']!r}, not the name of its folder")
    row = Experiment(
        experiment_id=int(name),
        name=text_of(meta, "name") or f"experiment_{name}",
        artifact_location=rewritten(text_of(meta, "artifact_location"), rewrites),
        lifecycle_stage="deleted" if path.startswith(f"{TRASH}/") else stage_of(meta),
        creation_time=number_of(meta, "creation_time"),
        last_update_time=number_of(meta, "last_update_time"),
    )
    return FoundExperiment(path=path, row=row, tags=folder.texts(f"{path}/tags"))


def read_run(folder: Folder, path: str, rewrites: Sequence[Rewrite] = ()) -> FoundRun:
    """Raises Broken. The row has the experiment's id of the folder."""
    experiment, _, run_id = path.removeprefix(f"{TRASH}/").partition("/")
    if not _RUN_ID.fullmatch(run_id):
        raise Broken("its name is no run id")
    meta = folder.mapping(f"{path}/{META}")
    if str(meta.get("experiment_id", experiment)) != experiment:
        raise Broken(f"its experiment_id is {meta['experiment_id']!r}, but it lies in experiment {experiment}")
    if (meta.get("run_id") or meta.get("run_uuid") or run_id) != run_id:
        raise Broken("its run_id is not the name of its folder")
    tags = folder.texts(f"{path}/tags")
    row = Run(
        run_uuid=run_id,
        name=text_of(meta, "run_name") or text_of(meta, "name") or tags.get(RUN_NAME_TAG),
        source_type=_source_type(meta),
        source_name=text_of(meta, "source_name", ""),
        entry_point_name=text_of(meta, "entry_point_name", ""),
        user_id=text_of(meta, "user_id"),
        status=_status(meta),
        start_time=number_of(meta, "start_time"),
        end_time=number_of(meta, "end_time"),
        source_version=text_of(meta, "source_version", ""),
        lifecycle_stage=stage_of(meta),
        artifact_uri=rewritten(text_of(meta, "artifact_uri"), rewrites),
        experiment_id=int(experiment),
        deleted_time=number_of(meta, "deleted_time"),
    )
    return FoundRun(
        path=path,
        row=row,
        params=folder.texts(f"{path}/params"),
        tags=tags,
        edges=(*_inputs(folder, path, run_id), *_outputs(folder, path, run_id)),
        metrics=tuple(folder.files(f"{path}/metrics")),
    )


def read_points(folder: Folder, path: str, key: str) -> Iterator[Point]:
    """The points of one metric, in the order in which they were logged. A broken line is a fault."""
    width = 0
    try:
        for number, line, has_end in folder.lines(path):
            parts = line.split(" ")
            try:
                yield _point(key, parts, is_cut=not has_end and len(parts) != (width or 3))
            except Broken as broken:
                folder.faults.add(path, f"line {number}: {broken}")
            width = len(parts)
    except Broken as broken:
        folder.faults.add(path, str(broken))


def _point(key: str, parts: Sequence[str], *, is_cut: bool) -> Point:
    """Of a line: time and value, since 1.0 the step, with a dataset also its name and digest."""
    if is_cut or len(parts) not in {2, 3, 5}:
        raise Broken("half-written" if is_cut else f"{len(parts)} fields, where 2, 3 or 5 are wanted")
    value, is_nan = stored_value(_float(parts[1]))
    return Point(key, _integer(parts[0]), _integer(parts[2]) if len(parts) > 2 else 0, value, is_nan)


def read_dataset(folder: Folder, path: str, experiment_id: int) -> Dataset:
    """Raises Broken. Its id is made of the experiment's too: the folder has the same name in each experiment."""
    meta = folder.mapping(f"{path}/{META}")
    return Dataset(
        dataset_uuid=identity(*path.removeprefix(f"{TRASH}/").split("/")),
        experiment_id=experiment_id,
        name=_required(meta, "name"),
        digest=_required(meta, "digest"),
        dataset_source_type=text_of(meta, "source_type", "") or "",
        dataset_source=text_of(meta, "source", "") or "",
        dataset_schema=text_of(meta, "schema"),
        dataset_profile=text_of(meta, "profile"),
    )


def read_model(folder: Folder, path: str, experiment_id: int, rewrites: Sequence[Rewrite] = ()) -> FoundModel:
    """A logged model. Raises Broken."""
    model_id = path.rpartition("/")[2]
    if not _MODEL_ID.fullmatch(model_id):
        raise Broken("its name is no id of a logged model")
    meta = folder.mapping(f"{path}/{META}")
    if meta.get("model_id", model_id) != model_id:
        raise Broken("its model_id is not the name of its folder")
    row = LoggedModel(
        model_id=model_id,
        experiment_id=experiment_id,
        name=text_of(meta, "name", "") or "",
        artifact_location=rewritten(text_of(meta, "artifact_location", ""), rewrites) or "",
        creation_timestamp_ms=number_of(meta, "creation_timestamp") or 0,
        last_updated_timestamp_ms=number_of(meta, "last_updated_timestamp") or 0,
        status=_model_status(meta),
        lifecycle_stage=stage_of(meta),
        model_type=text_of(meta, "model_type"),
        source_run_id=text_of(meta, "source_run_id"),
        status_message=text_of(meta, "status_message"),
    )
    return FoundModel(path=path, row=row, params=folder.texts(f"{path}/params"), tags=folder.texts(f"{path}/tags"))


def read_model_points(folder: Folder, model: FoundModel) -> Iterator[ModelPoint]:
    """A broken line is a fault."""
    for path, key in folder.files(f"{model.path}/metrics"):
        for number, line, _ in folder.lines(path):
            parts = line.split(" ")
            try:
                yield _model_point(model.row, key, parts)
            except Broken as broken:
                folder.faults.add(path, f"line {number}: {broken}")


def _model_point(model: LoggedModel, key: str, parts: Sequence[str]) -> ModelPoint:
    if len(parts) not in {4, 6}:
        raise Broken(f"{len(parts)} fields, where 4 or 6 are wanted")
    return ModelPoint(
        model_id=model.model_id,
        metric_name=key,
        metric_timestamp_ms=_integer(parts[0]),
        metric_step=_integer(parts[2]),
        metric_value=stored_value(_float(parts[1]))[0],
        run_id=parts[3],
        experiment_id=model.experiment_id,
        dataset_name=parts[4] if len(parts) == 6 else None,
        dataset_digest=parts[5] if len(parts) == 6 else None,
    )


def identity(*parts: str) -> str:
    """32 characters, the same for the same parts: what is read twice has one id."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _inputs(folder: Folder, run_path: str, run_id: str) -> Iterator[FoundEdge]:
    for name in folder.folders(f"{run_path}/inputs"):
        path = f"{run_path}/inputs/{name}"
        try:
            meta = folder.mapping(f"{path}/{META}")
            yield _input(meta, run_id, identity(run_id, "inputs", name))
        except Broken as broken:
            folder.faults.add(path, str(broken))


def _input(meta: Mapping[str, object], run_id: str, input_id: str) -> FoundEdge:
    """The run is that of the folder: MLflow writes the source where the destination belongs."""
    source = _required(meta, "source_id")
    match meta.get("source_type", edges.DATASET):
        case edges.DATASET:
            edge = Edge(edges.DATASET, source, edges.RUN, run_id, 0, input_id)
            return FoundEdge(edge, source, _tags_of_input(meta))
        case "MODEL":
            edge = Edge(edges.RUN_INPUT, run_id, edges.MODEL_INPUT, source, 0, input_id)
            return FoundEdge(edge, None, _tags_of_input(meta))
        case other:
            raise Broken(f"an input of the type {other!r}")


def _outputs(folder: Folder, run_path: str, run_id: str) -> Iterator[FoundEdge]:
    for model_id in folder.folders(f"{run_path}/outputs"):
        path = f"{run_path}/outputs/{model_id}"
        try:
            step = number_of(folder.mapping(f"{path}/{META}"), "step") or 0
        except Broken as broken:
            folder.faults.add(path, str(broken))
        else:
            key = identity(run_id, "outputs", model_id)
            yield FoundEdge(Edge(edges.RUN_OUTPUT, run_id, edges.MODEL_OUTPUT, model_id, step, key), None, {})


def _tags_of_input(meta: Mapping[str, object]) -> dict[str, str]:
    tags = meta.get("tags")
    if tags is None:
        return {}
    if not isinstance(tags, dict):
        raise Broken("its tags are no mapping")
    return {str(key): str(value) for key, value in cast("dict[object, object]", tags).items()}


def text_of(meta: Mapping[str, object], key: str, default: str | None = None) -> str | None:
    """YAML reads `1e3` and `on` as what they look like; whatever is written counts as text."""
    value = meta.get(key, default)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    raise Broken(f"its {key} is no text")


def _required(meta: Mapping[str, object], key: str) -> str:
    value = text_of(meta, key)
    if value is None:
        raise Broken(f"it has no {key}")
    return value


def number_of(meta: Mapping[str, object], key: str) -> int | None:
    value = meta.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Broken(f"its {key} is no whole number")
    return _integer(str(value))


def stage_of(meta: Mapping[str, object]) -> str:
    stage = meta.get("lifecycle_stage", "active")
    if stage not in STAGES:
        raise Broken(f"its lifecycle_stage is {stage!r}")
    return str(stage)


def _status(meta: Mapping[str, object]) -> str:
    status = meta.get("status", 1)
    name = STATUSES.get(status) if isinstance(status, int) else status
    if name not in STATUSES.values():
        raise Broken(f"its status is {status!r}")
    return str(name)


def _source_type(meta: Mapping[str, object]) -> str:
    """It is told in tags since 1.0; here it is but a column that wants a value."""
    given = meta.get("source_type", 4)
    if isinstance(given, str):
        return given if given in SOURCE_TYPES.values() else "UNKNOWN"
    return SOURCE_TYPES.get(given, "UNKNOWN") if isinstance(given, int) else "UNKNOWN"


def _model_status(meta: Mapping[str, object]) -> int:
    status = meta.get("status", 1)
    number = MODEL_STATUSES.get(status) if isinstance(status, str) else status
    if number not in MODEL_STATUSES.values():
        raise Broken(f"its status is {status!r}")
    return cast(int, number)


def _integer(text: str) -> int:
    try:
        number = int(text[:32])
    except ValueError:
        raise Broken(f"{text[:40]!r} is no whole number") from None
    if not -_INT64 <= number < _INT64 or len(text) > 32:
        raise Broken(f"{text[:40]} does not fit into 64 bits")
    return number


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Broken(f"{text[:40]!r} is no number") from None


def _is_id(name: str) -> bool:
    return name.isascii() and name.isdigit() and int(name) < _INT64 and str(int(name)) == name
