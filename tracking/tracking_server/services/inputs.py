"""What runs read and write: datasets and models; and which datasets an experiment has seen."""

from collections.abc import Sequence

from sqlalchemy import Connection

from tracking_server.database.statements import inputs as statements
from tracking_server.database.statements.conditions import storable_ids
from tracking_server.entities.datasets import (
    Dataset,
    DatasetInput,
    DatasetSummaries,
    DatasetSummary,
    LogInputs,
    LogOutputs,
    ModelInput,
    SearchDatasets,
)
from tracking_server.entities.shapes import Empty
from tracking_server.errors import InvalidParameter
from tracking_server.services import limits
from tracking_server.services.context import Context
from tracking_server.services.experiment_ids import parse_experiment_id
from tracking_server.services.run_reading import require_active_run

MAX_EXPERIMENTS = 20


def log_inputs(request: LogInputs, context: Context) -> Empty:
    """A dataset is stored once in an experiment; one that the run has read already keeps the tags it has."""
    limits.check_run_id(request.run_id)
    for index, dataset_input in enumerate(request.datasets):
        limits.check_dataset_input(dataset_input, f"datasets[{index}]")

    def write(connection: Connection) -> None:
        experiment_id = require_active_run(connection, request.run_id)
        if request.models:
            _write_edges(connection, [_model_edge(request.run_id, model, context) for model in request.models], context)
        if request.datasets:
            _write_datasets(connection, experiment_id, request, context)

    context.database.retrying(write)
    return Empty()


def log_outputs(request: LogOutputs, context: Context) -> Empty:
    """The same model twice is an error of the database."""
    rows = [
        {
            "source_type": statements.RUN_OUTPUT,
            "source_id": request.run_id,
            "destination_type": statements.MODEL_OUTPUT,
            "destination_id": model.model_id,
            "step": model.step,
            "input_uuid": context.new_id(),
        }
        for model in request.models
    ]

    def write(connection: Connection) -> None:
        require_active_run(connection, request.run_id)
        if rows:
            connection.execute(statements.INSERT_EDGES, rows)

    context.database.retrying(write)
    return Empty()


def search_datasets(request: SearchDatasets, context: Context) -> DatasetSummaries:
    """At most 1,000, in a total order."""
    if not request.experiment_ids:
        raise InvalidParameter("SearchDatasets request must specify at least one experiment_id.")
    if len(request.experiment_ids) > MAX_EXPERIMENTS:
        raise InvalidParameter(
            f"SearchDatasets request cannot specify more than {MAX_EXPERIMENTS} experiment_ids."
            f" Received {len(request.experiment_ids)} experiment_ids."
        )
    keys = storable_ids(
        [parse_experiment_id(experiment_id) for experiment_id in request.experiment_ids], context.database.dialect
    )
    with context.database.read() as connection:
        found = connection.execute(statements.SELECT_DATASET_SUMMARIES, {"experiment_ids": keys})
        summaries = [
            DatasetSummary(experiment_id=str(experiment_id), name=name, digest=digest, context=data_context)
            for experiment_id, name, digest, data_context in found
        ]
    return DatasetSummaries(dataset_summaries=summaries or ())


def _write_datasets(connection: Connection, experiment_id: int, request: LogInputs, context: Context) -> None:
    """Duplicates by name and digest: the first counts."""
    given: dict[tuple[str, str], DatasetInput] = {}
    for dataset_input in request.datasets:
        given.setdefault(_identity(dataset_input.dataset), dataset_input)
    ids = _ids_of_datasets(connection, experiment_id, given, context)
    edges = {
        ids[identity]: (statements.DATASET, ids[identity], statements.RUN, request.run_id, 0, edge_id)
        for identity, edge_id in zip(given, _rising_ids(len(given), context), strict=True)
    }
    _write_edges(connection, list(edges.values()), context)
    if not any(dataset_input.tags for dataset_input in given.values()):
        return
    of_edges = {"run_id": request.run_id, "dataset_ids": list(edges)}
    stored = dict(connection.execute(statements.SELECT_EDGE_IDS, of_edges).all())
    tags = [
        {"input_uuid": edges[ids[identity]][-1], "name": key, "value": value}
        for identity, dataset_input in given.items()
        if stored[ids[identity]] == edges[ids[identity]][-1]  # else the edge was there before, and keeps its tags
        for key, value in {tag.key: tag.value for tag in dataset_input.tags}.items()
    ]
    if tags:
        connection.execute(statements.INSERT_TAGS, tags)


def _ids_of_datasets(
    connection: Connection, experiment_id: int, given: dict[tuple[str, str], DatasetInput], context: Context
) -> dict[tuple[str, str], str]:
    new = [_dataset_row(identity, given[identity].dataset, context.new_id()) for identity in sorted(given)]
    connection.execute(*statements.NEW_DATASETS.prepare(context.database.dialect, new, experiment_id=experiment_id))
    names = {
        "experiment_id": experiment_id,
        "names": [name for name, _ in given],
        "digests": [digest for _, digest in given],
    }
    found = connection.execute(statements.SELECT_DATASET_IDS, names)
    return {(name, digest): dataset_id for name, digest, dataset_id in found}


def _rising_ids(count: int, context: Context) -> list[str]:
    """Ids of edges, by which they are read: in the order of the request, behind those of earlier requests."""
    moment = f"{context.now():012x}"
    return [f"{moment}{index:04x}{context.new_id()[16:]}" for index in range(count)]


def _identity(dataset: Dataset) -> tuple[str, str]:
    return dataset.name or "", dataset.digest or ""


def _dataset_row(identity: tuple[str, str], dataset: Dataset, dataset_id: str) -> Sequence[str | None]:
    return (
        *identity,
        dataset_id,
        dataset.source_type or "",
        dataset.source or "",
        dataset.schema,
        dataset.profile,
    )


def _model_edge(run_id: str, model: ModelInput, context: Context) -> Sequence[object]:
    return statements.RUN_INPUT, run_id, statements.MODEL_INPUT, model.model_id, 0, context.new_id()


def _write_edges(connection: Connection, edges: Sequence[Sequence[object]], context: Context) -> None:
    in_key_order = sorted(edges, key=lambda edge: tuple(map(str, edge[:4])))
    connection.execute(*statements.NEW_EDGES.prepare(context.database.dialect, in_key_order))
