"""One server process over a store of a kind, in a folder of its own, and what Linux says about it."""

import os
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.artifact_stores import open_bucket, unfinished_in
from tests.support.emulators import BUCKET, Emulator, azure_emulator, gcs_emulator, s3_emulator
from tests.support.processes import children_of
from tests.support.server import LiveServer, live_server
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.options import StoreOptions
from tracking_server.artifacts.paths import UPLOADING_PREFIX

FILES: Final = "/api/2.0/mlflow-artifacts/artifacts"
STORES: Final = ("local", "s3", "gcs", "azure")
_ROOT: Final = "proxied"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoreServer:
    server: LiveServer
    emulator: Emulator | None
    """None for a folder."""
    folder: Path
    """Of the store, where it is on this machine."""

    @property
    def processes(self) -> list[int]:
        return [self.server.process.pid, *children_of(self.server.process.pid)]

    @property
    def worker(self) -> int:
        return self.server.workers()[0]

    @property
    def tells_of_parts(self) -> bool:
        return self.emulator is None or self.emulator.name != "gcs"

    def left_in_store(self) -> tuple[list[str], list[str]]:
        """Objects below the root, and what there is of uploads that have not ended, where the store tells of those."""
        if self.emulator is None:
            files = [path for path in self.folder.rglob("*") if path.is_file()]
            parts = [str(path) for path in files if path.name.startswith(UPLOADING_PREFIX)]
            return [str(path) for path in files if str(path) not in parts], parts
        options = StoreOptions.from_environ(self.emulator.environ)
        store = ObjectStore(open_bucket(self.emulator.name, BUCKET, options), _ROOT)
        try:
            page = store.bucket.page(f"{_ROOT}/", limit=1000, is_deep=True)
            parts = unfinished_in(store)
            return [each.name for each in page.objects if not each.is_marker and each.name not in parts], parts
        finally:
            store.close()


@contextmanager
def store_server(store: str, folder: Path, emulator: Emulator | None = None) -> Generator[StoreServer]:
    """An emulator is started unless one is given."""
    if store == "local":
        place = folder / "store"
        place.mkdir()
        with _server(folder, str(place), {}) as server:
            yield StoreServer(server=server, emulator=None, folder=place)
    elif emulator is not None:
        with _server(folder, f"{emulator.uri}/{_ROOT}", emulator.environ) as server:
            yield StoreServer(server=server, emulator=emulator, folder=emulator.folder)
    else:
        with _emulator(store, folder / "store") as started:
            os.environ.update(started.environ)  # boto3 looks for credentials there
            with store_server(store, folder, started) as running:
                yield running


def _emulator(store: str, folder: Path) -> AbstractContextManager[Emulator]:
    match store:
        case "s3":
            return s3_emulator(folder)
        case "gcs":
            return gcs_emulator(folder, keeps_files=True)
        case _:
            return azure_emulator(folder)


@contextmanager
def _server(folder: Path, root: str, environ: Mapping[str, str]) -> Generator[LiveServer]:
    (folder / "tmp").mkdir()
    with live_server(
        folder, "--artifacts-destination", root, environ={**environ, "TMPDIR": str(folder / "tmp")}
    ) as server:
        yield server
