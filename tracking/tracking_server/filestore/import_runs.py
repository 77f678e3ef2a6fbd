"""The runs of one experiment, with all that they have, in batches: new ones are written, known ones compared."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.database.statements import metrics as metric_statements
from tracking_server.database.statements import params as param_statements
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.statements.metrics import Point
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import UNFINISHED, Differs, Grown, KnownRun, Place, Same, compare_run
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.import_datasets import Datasets
from tracking_server.filestore.reading import META, read_points, read_run, run_names
from tracking_server.filestore.rows import FoundExperiment, FoundRun
from tracking_server.filestore.sink import Sink
from tracking_server.filestore.target import Target
from tracking_server.progress import Progress

BATCH_RUNS: Final = 100


def import_runs(target: Target, experiment: FoundExperiment, place: Place, progress: Progress) -> None:
    datasets = Datasets(target, experiment, place)
    if not place.is_known or target.options.unchanged_since_ns is None:
        datasets.bring(target.folder.folders(datasets.path))
    for names in batches(run_names(target.folder, experiment.path), BATCH_RUNS):
        _import_batch(target, experiment, place, datasets, names)
        progress.advance(len(names))


def _import_batch(
    target: Target, experiment: FoundExperiment, place: Place, datasets: Datasets, names: Sequence[str]
) -> None:
    rows = {row.run_uuid: row for row in target.read(statements.SELECT_KNOWN_RUNS, {"run_ids": list(names)})}
    unchanged = {
        name for name in names if name in rows and _is_unchanged(target, f"{experiment.path}/{name}", rows[name].status)
    }
    target.imported.runs_known += len(unchanged)
    known = _known_runs(target, [row for name, row in rows.items() if name not in unchanged])
    new: list[FoundRun] = []
    for name in names:
        if name in unchanged:
            continue
        path, known_run = f"{experiment.path}/{name}", known.get(name)
        try:
            run = _fitted(target, read_run(target.folder, path, target.options.rewrites), place)
        except Broken as broken:
            target.faults.add(path, str(broken))
            continue
        if known_run is None:
            new.append(run)
        else:
            _compare(target, run, known_run, datasets)
    datasets.bring(_datasets_of(new))
    target.write(new, lambda sink, runs: _write_runs(target, sink, runs, datasets), lambda run: run.path)


def _datasets_of(runs: Iterable[FoundRun]) -> list[str]:
    return sorted({edge.dataset for run in runs for edge in run.edges if edge.dataset is not None})


def _is_unchanged(target: Target, path: str, status: str | None) -> bool:
    since = target.options.unchanged_since_ns
    return since is not None and status not in UNFINISHED and target.folder.modified_ns(f"{path}/{META}") < since


def _fitted(target: Target, run: FoundRun, place: Place) -> FoundRun:
    """Under the experiment's id in the database, and as that can hold it."""
    fit, path = target.fit, run.path
    keys = {key: key for _, key in run.metrics}
    kept = fit.texts(schema.metrics, ("key", "key"), keys, f"{path}/metrics")
    return FoundRun(
        path=path,
        row=fit.row(schema.runs, run.row._replace(experiment_id=place.experiment_id or 0), path),
        params=fit.texts(schema.params, ("key", "value"), run.params, f"{path}/params"),
        tags=fit.texts(schema.tags, ("key", "value"), run.tags, f"{path}/tags"),
        edges=run.edges,
        metrics=[(file, key) for file, key in run.metrics if key in kept],
    )


def _known_runs(target: Target, found: Sequence[Row[*tuple[Any, ...]]]) -> dict[str, KnownRun]:
    """With all that the database has of them."""
    if not found:
        return {}
    run_ids = {"run_ids": [row.run_uuid for row in found]}
    params: dict[str, dict[str, str]] = {}
    for run_id, key, value in target.read(param_statements.SELECT_OF_RUNS, run_ids):
        params.setdefault(run_id, {})[key] = value
    tags: dict[str, dict[str, str | None]] = {}
    for run_id, key, text in target.read(tag_statements.SELECT_OF_RUNS, run_ids):
        tags.setdefault(run_id, {})[key] = text
    latest: dict[str, dict[str, tuple[int, int, float]]] = {}
    for row in target.read(metric_statements.SELECT_LATEST_OF_RUNS, run_ids):
        latest.setdefault(row.run_uuid, {})[row.key] = (row.step, row.timestamp or 0, row.value)
    return {
        row.run_uuid: KnownRun(
            name=row.name,
            status=row.status,
            lifecycle_stage=row.lifecycle_stage,
            start_time=row.start_time,
            end_time=row.end_time,
            params=params.get(row.run_uuid, {}),
            tags=tags.get(row.run_uuid, {}),
            latest=latest.get(row.run_uuid, {}),
        )
        for row in found
    }


def _compare(target: Target, run: FoundRun, known: KnownRun, datasets: Datasets) -> None:
    mark = target.faults.mark()
    latest = [
        point
        for path, key in run.metrics
        for point in metric_statements.latest_points(read_points(target.folder, path, key))
    ]
    imported = target.imported
    match compare_run(run, latest, known):
        case Same():
            imported.runs_known += 1
        case Differs(what):
            imported.tell_of("runs", run.path, what, run_id=run.row.run_uuid)
        case Grown(has_ended):
            target.faults.back_to(mark)  # the lines are read again
            imported.runs_followed += _follow(target, run, datasets, has_ended=has_ended)


def _follow(target: Target, run: FoundRun, datasets: Datasets, *, has_ended: bool) -> bool:
    def write(sink: Sink, runs: Sequence[FoundRun]) -> Mapping[str, int]:
        _write_runs(target, sink, runs, datasets)
        if has_ended:
            end = {"of_run": run.row.run_uuid, "new_status": run.row.status, "new_end_time": run.row.end_time}
            sink.execute(statements.END_RUN, end)
        return {}

    datasets.bring(_datasets_of([run]))
    return target.write([run], write, lambda each: each.path)


def _write_runs(target: Target, sink: Sink, runs: Sequence[FoundRun], datasets: Datasets) -> Mapping[str, int]:
    sink.add(statements.RUNS, [run.row for run in runs])
    params = [(run.row.run_uuid, *param) for run in runs for param in run.params.items()]
    sink.add(statements.PARAMS, params)
    tags = [(run.row.run_uuid, *tag) for run in runs for tag in run.tags.items()]
    sink.add(statements.TAGS, tags)
    edges = [edge for run in runs for found in run.edges if (edge := datasets.edge_of(run.path, found)) is not None]
    sink.add(statements.EDGES, [edge.edge for edge in edges])
    input_tags = [(edge.edge.input_uuid, *tag) for edge in edges for tag in edge.tags.items()]
    sink.add(statements.INPUT_TAGS, input_tags)
    return {
        "runs": len(runs),
        "params": len(params),
        "tags": len(tags),
        "inputs_and_outputs": len(edges),
        "input_tags": len(input_tags),
        "metrics": _write_points(target, sink, runs),
    }


def _write_points(target: Target, sink: Sink, runs: Sequence[FoundRun]) -> int:
    """A metric may have more points than memory holds: they go through, and only the latest is kept."""
    number = 0
    for run in runs:
        for path, key in run.metrics:
            latest: Point | None = None
            for point in read_points(target.folder, path, key):
                number += 1
                if latest is None or _age(point) > _age(latest):
                    latest = point
                sink.queue(statements.POINTS, (run.row.run_uuid, *point))
            if latest is not None:
                sink.queue(statements.LATEST, (run.row.run_uuid, *latest))
    sink.flush()
    return number


def _age(point: Point) -> tuple[int, int, float]:
    return point.step, point.timestamp, point.value
