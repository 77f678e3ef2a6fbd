"""A folder into a database: rows are only added, in batches of whole runs, each batch in one transaction.

So a run that is in the database is there with all that it had, and an import that was killed goes on where it was. In
memory are the experiments, the names of the runs of one of them, and a batch of runs without their metrics.
"""

from collections.abc import Callable, Iterator, MutableSequence, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.database.check import Current, Empty, Outdated, explain
from tracking_server.database.lock import MigrationLock, migration_lock
from tracking_server.database.start import look, ready_database
from tracking_server.database.statements import tags as tag_statements
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, SchemaUnsupported
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import KnownExperiment, Place, place_experiment
from tracking_server.filestore.fitting import Fit
from tracking_server.filestore.folder import HAS_LIBYAML, SLOW_YAML, Broken, Folder, require_folder
from tracking_server.filestore.import_models import import_models
from tracking_server.filestore.import_registry import import_registry
from tracking_server.filestore.import_runs import import_runs
from tracking_server.filestore.import_traces import import_traces
from tracking_server.filestore.merging import both_texts, merge
from tracking_server.filestore.reading import REGISTRY, experiment_paths, read_experiment, run_names
from tracking_server.filestore.rows import FoundExperiment
from tracking_server.filestore.sink import Sink
from tracking_server.filestore.target import WORKSPACE, Imported, Options, Target
from tracking_server.filestore.trace_reading import trace_names
from tracking_server.progress import Progress

LOCK_SECONDS: Final = 24 * 3600.0
"""The import of another process may take long; afterwards there is little to do."""
BATCH_EXPERIMENTS: Final = 100


def import_folder(database: Database, root: Path, options: Options) -> Imported:
    """Raises CommandFailed. Whatever it was that stopped it, it goes on when it is run again."""
    require_folder(root)
    if not HAS_LIBYAML:
        options.say(f"warning: {SLOW_YAML}")
    imported = Imported()
    if options.is_dry:
        _import(_target(database, root, options, imported, None, has_tables=_has_tables(database)))
        return imported
    ready_database(database, creates_schema=options.creates_schema)
    with migration_lock(database, wait_seconds=LOCK_SECONDS) as lock:
        _import(_target(database, root, options, imported, lock, has_tables=True))
    return imported


def is_file_store(root: Path) -> bool:
    """Whether the folder has experiments or a registry."""
    folder = Folder(root, Imported().faults)
    return bool(experiment_paths(folder)) or bool(folder.folders(REGISTRY))


def require_file_store(root: Path) -> None:
    require_folder(root)
    if not is_file_store(root):
        hint = f" Do you mean {root / 'mlruns'}?" if (root / "mlruns").is_dir() else ""
        raise ConfigInvalid(f"{root} has no experiments: it is not a folder of MLflow's FileStore.{hint}")


def _has_tables(database: Database) -> bool:
    state = look(database)
    if isinstance(state, Empty):
        return False
    if not isinstance(state, Current) and not (isinstance(state, Outdated) and state.is_at_mlflow_head):
        raise SchemaUnsupported(explain(state))
    return True


def _target(
    database: Database,
    root: Path,
    options: Options,
    imported: Imported,
    lock: MigrationLock | None,
    *,
    has_tables: bool,
) -> Target:
    return Target(
        database=database,
        folder=Folder(root, imported.faults),
        options=options,
        imported=imported,
        fit=Fit(database.dialect, imported.faults),
        lock=lock,
        has_tables=has_tables,
    )


def _import(target: Target) -> None:
    found = list(_read_experiments(target))
    names = frozenset(each.row.name for each in found)
    runs, traces = _progress(target, found, "runs", run_names), _progress(target, found, "traces", trace_names)
    known = [KnownExperiment(*row) for row in target.read(statements.SELECT_EXPERIMENTS)]
    placed = [(each, _place(target, each, names, known)) for each in found]
    _merge_tags(target, placed)
    for experiment, place in placed:
        import_runs(target, experiment, place, runs)
    runs.end()
    for experiment, place in placed:
        import_models(target, experiment, place)
        import_traces(target, experiment, place, traces)
    traces.end()
    import_registry(target)


def _progress(
    target: Target, found: Sequence[FoundExperiment], what: str, names_of: Callable[[Folder, str], list[str]]
) -> Progress:
    mark = target.faults.mark()
    total = sum(len(names_of(target.folder, each.path)) for each in found)
    target.faults.back_to(mark)  # they are listed again, one experiment after the other
    return Progress(target.options.say, total, what)


def _read_experiments(target: Target) -> Iterator[FoundExperiment]:
    seen: set[int] = set()
    for path in experiment_paths(target.folder):
        try:
            found = read_experiment(target.folder, path, target.options.rewrites)
            fitted = target.fit.row(schema.experiments, found.row._replace(name=""), path)
        except Broken as broken:
            target.faults.add(path, f"{broken}: its runs were passed over with it")
            continue
        if fitted.experiment_id in seen:
            target.faults.add(path, "the experiment is outside of the trash too: this one was passed over")
            continue
        seen.add(fitted.experiment_id)
        tags = target.fit.texts(schema.experiment_tags, ("key", "value"), found.tags, f"{path}/tags")
        yield FoundExperiment(path=path, row=fitted._replace(name=found.row.name), tags=tags)


def _merge_tags(target: Target, placed: Sequence[tuple[FoundExperiment, Place]]) -> None:
    """Of experiments that were there before."""
    known_ones = [(each, place.experiment_id) for each, place in placed if place.is_known]
    for some in batches(known_ones, BATCH_EXPERIMENTS):
        known: dict[int, dict[str, object]] = {}
        ids = {"experiment_ids": [experiment_id for _, experiment_id in some]}
        for experiment_id, key, value in target.read(tag_statements.SELECT_OF_EXPERIMENTS, ids):
            known.setdefault(experiment_id, {})[key] = value
        merge(
            target,
            [
                both_texts(
                    statements.EXPERIMENT_TAGS,
                    f"{each.path}/tags",
                    (experiment_id,),
                    each.tags,
                    known.get(experiment_id or 0, {}),
                )
                for each, experiment_id in some
            ],
        )


def _place(
    target: Target, found: FoundExperiment, names: frozenset[str], known: MutableSequence[KnownExperiment]
) -> Place:
    """Where the experiment is in the database. It is made there when it was not, and is a known one from then on."""
    place = place_experiment(found.row, known, names, target.dialect)
    if not place.is_known:
        if not target.options.is_dry:
            place = _make_experiment(target, found, place)
            known.append(_as_known(found, place))
        target.imported.count({"experiments": 1, "experiment_tags": len(found.tags)})
    old, new = str(found.row.experiment_id), "new" if place.experiment_id is None else str(place.experiment_id)
    if old != new:
        target.imported.experiments[old] = new
    if place.name != found.row.name:
        target.imported.renamed[found.row.name] = place.name
    return place


def _as_known(found: FoundExperiment, place: Place) -> KnownExperiment:
    return KnownExperiment(
        experiment_id=place.experiment_id or 0,
        name=place.name,
        creation_time=found.row.creation_time,
        artifact_location=found.row.artifact_location,
    )


def _make_experiment(target: Target, found: FoundExperiment, place: Place) -> Place:
    values = {**found.row._asdict(), "name": place.name, "workspace": WORKSPACE}
    if place.experiment_id is None:
        del values["experiment_id"]

    def make(connection: Connection) -> int:
        key = connection.execute(insert(schema.experiments).values(values)).inserted_primary_key
        experiment_id = place.experiment_id
        if experiment_id is None:
            experiment_id = int(key[0]) if key is not None else 0
        elif target.dialect == "postgresql":
            connection.execute(statements.FOLLOW_IDS)
        sink = Sink(connection, target.dialect)
        sink.add(statements.EXPERIMENT_TAGS.add, [(experiment_id, *tag) for tag in found.tags.items()])
        return experiment_id

    if target.lock is not None:
        target.lock.check()
    return Place(experiment_id=target.database.retrying(make), name=place.name, is_known=False)
