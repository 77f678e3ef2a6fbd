"""Wraps any store: only keys get through, and calls that take long are told to the log."""

import logging
import time
from collections.abc import Generator
from contextlib import contextmanager

from tracking_server.artifacts.paths import parse_key
from tracking_server.artifacts.store import ArtifactStore, Deleted, Listing, Reader, Stat, Wanted, Writer

logger = logging.getLogger(__name__)

SLOW_SECONDS = 5.0


class CheckedStore:
    def __init__(self, inner: ArtifactStore) -> None:
        self.inner = inner

    @property
    def writer_bytes(self) -> int:
        return self.inner.writer_bytes

    def open(self, key: str, wanted: Wanted = None) -> Reader:
        with _timed("open", parse_key(key)):
            return self.inner.open(key, wanted)

    def create(self, key: str) -> Writer:
        with _timed("create", parse_key(key)):
            return self.inner.create(key)

    def stat(self, key: str) -> Stat:
        with _timed("stat", parse_key(key)):
            return self.inner.stat(key)

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
        with _timed("list", folder and parse_key(folder)):
            return self.inner.list(folder, after=after, limit=limit)

    def delete(self, key: str) -> None:
        with _timed("delete", parse_key(key)):
            self.inner.delete(key)

    def delete_prefix(self, key: str) -> Deleted:
        with _timed("delete_prefix", key and parse_key(key)):
            return self.inner.delete_prefix(key)


@contextmanager
def _timed(call: str, key: str) -> Generator[None]:
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds > SLOW_SECONDS:
        logger.warning(
            "the artifact store is slow", extra={"store_call": call, "key": key, "seconds": round(seconds, 3)}
        )
