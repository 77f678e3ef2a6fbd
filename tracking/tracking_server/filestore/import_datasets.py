"""The datasets of one experiment, and the edges from them to runs."""

from collections.abc import Mapping, Sequence
from typing import Final

from tracking_server.database import schema
from tracking_server.database.batches import batches
from tracking_server.filestore import statements
from tracking_server.filestore.comparing import Place
from tracking_server.filestore.folder import Broken
from tracking_server.filestore.reading import read_dataset
from tracking_server.filestore.rows import Dataset, FoundEdge, FoundExperiment
from tracking_server.filestore.sink import Sink
from tracking_server.filestore.target import Target

BATCH_DATASETS: Final = 100


class Datasets:
    """Knows the ids of those that were brought, by the names of their folders."""

    def __init__(self, target: Target, experiment: FoundExperiment, place: Place) -> None:
        self.path: Final = f"{experiment.path}/datasets"
        self._target = target
        self._place = place
        self._ids: dict[str, str | None] = {}

    def bring(self, names: Sequence[str]) -> None:
        """Those that were not brought yet."""
        for batch in batches([name for name in names if name not in self._ids], BATCH_DATASETS):
            self._target.write(batch, self._write, lambda name: f"{self.path}/{name}")

    def edge_of(self, run_path: str, found: FoundEdge) -> FoundEdge | None:
        """None, and a fault, when its dataset is not there."""
        fit, path = self._target.fit, f"{run_path}/inputs"
        edge = found.edge
        if found.dataset is not None:
            dataset_id = self._ids.get(found.dataset)
            if dataset_id is None:
                self._target.faults.add(path, f"the dataset {found.dataset} is not there: the input was left out")
                return None
            edge = edge._replace(source_id=dataset_id)
        try:
            edge = fit.row(schema.inputs, edge, path)
        except Broken as broken:
            self._target.faults.add(path, str(broken))
            return None
        return FoundEdge(edge, found.dataset, fit.texts(schema.input_tags, ("name", "value"), found.tags, path))

    def _write(self, sink: Sink, names: Sequence[str]) -> Mapping[str, int]:
        """One that the experiment has by name and digest stays, and keeps its id."""
        rows: dict[str, Dataset] = {}
        for name in names:
            path = f"{self.path}/{name}"
            self._ids[name] = None
            try:
                row = read_dataset(self._target.folder, path, self._place.experiment_id or 0)
                rows[name] = self._target.fit.row(schema.datasets, row, path)
            except Broken as broken:
                self._target.faults.add(path, str(broken))
        known = self._known(sink, [row.digest for row in rows.values()])
        new = [row for row in rows.values() if (row.name, row.digest) not in known]
        sink.add(statements.DATASETS, new)
        self._ids |= {name: known.get((row.name, row.digest), row.dataset_uuid) for name, row in rows.items()}
        return {"datasets": len(new)}

    def _known(self, sink: Sink, digests: Sequence[str]) -> dict[tuple[str, str], str]:
        if not self._place.is_known or not digests:
            return {}
        parameters = {"experiment_id": self._place.experiment_id, "digests": sorted(set(digests))}
        return {(row.name, row.digest): row.dataset_uuid for row in sink.rows(statements.SELECT_DATASETS, parameters)}
