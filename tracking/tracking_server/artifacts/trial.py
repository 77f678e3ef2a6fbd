"""A trial of a store: a small file is written, read, listed and deleted, and nothing stays behind."""

import contextlib
from collections.abc import Callable
from typing import Final

from tracking_server.artifacts.store import ArtifactStore, StoreUnavailable
from tracking_server.errors import TrackingError

CONTENT: Final = b"Trackplane tries this store. The file can be deleted.\n"
FILE: Final = "trial.txt"


def try_store(store: ArtifactStore, folder: str, told: Callable[[str], None]) -> None:
    """Tells each step that was done. `folder` is one that nothing else has. Raises what the store raises."""
    key = f"{folder}/{FILE}"
    try:
        _write_and_read(store, key, told)
        if [entry.name for entry in store.list(folder).entries] != [FILE]:
            raise StoreUnavailable("The store does not list a file that was just written to it.")
        told("list")
    except TrackingError:
        with contextlib.suppress(TrackingError):  # the first failure is the one to tell
            store.delete_prefix(folder)
        raise
    for leftover in store.delete_prefix(folder).leftovers:
        raise StoreUnavailable(f"The store does not delete {leftover.key}: {leftover.reason}")
    if store.list(folder).entries:
        raise StoreUnavailable(f"The store still lists what was just deleted from it, below {folder}.")
    told("delete")


def _write_and_read(store: ArtifactStore, key: str, told: Callable[[str], None]) -> None:
    with store.create(key) as writer:
        writer.write(CONTENT)
        writer.commit()
    told("write")
    with store.open(key) as reader:
        found = b"".join(iter(lambda: reader.read(len(CONTENT)), b""))
    if found != CONTENT:
        raise StoreUnavailable(f"The store gave back {len(found)} other bytes than the {len(CONTENT)} written to it.")
    told("read")
