"""An artifact store in memory, for tests: the promises of `store` in their shortest form."""

import hashlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tracking_server.artifacts.paths import join
from tracking_server.artifacts.ranges import span
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    Deleted,
    Entry,
    Listing,
    Stat,
    Wanted,
    WrongKind,
)


class MemoryReader:
    def __init__(self, content: bytes, stat: Stat, start: int, stop: int) -> None:
        self.stat = stat
        self.start = start
        self.stop = stop
        self._content = content
        self._position = start

    def read(self, limit_bytes: int) -> bytes:
        end = min(self._position + limit_bytes, self.stop)
        chunk = self._content[self._position : end]
        self._position = end
        return chunk

    def close(self) -> None:
        self._position = self.stop

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class MemoryWriter:
    def __init__(self, keep: Callable[[bytes], Stat]) -> None:
        self._chunks: list[bytes] = []
        self._keep = keep

    def write(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def commit(self) -> Stat:
        return self._keep(b"".join(self._chunks))

    def abort(self) -> None:
        self._chunks.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class MemoryStore:
    writer_bytes = 0

    def __init__(self, now_seconds: Callable[[], float] = lambda: 0.0) -> None:
        self._files: dict[str, tuple[bytes, Stat]] = {}
        self._lock = threading.Lock()
        self._now_seconds = now_seconds

    def open(self, key: str, wanted: Wanted = None) -> MemoryReader:
        content, stat = self._file(key)
        start, stop = span(wanted, stat.size_bytes)
        return MemoryReader(content, stat, start, stop)

    def create(self, key: str) -> MemoryWriter:
        self._check_free(key)
        return MemoryWriter(lambda content: self._keep(key, content))

    def stat(self, key: str) -> Stat:
        return self._file(key)[1]

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
        prefix = f"{folder}/" if folder else ""
        entries: dict[str, Entry] = {}
        for key, (_, stat) in self._snapshot().items():
            if key.startswith(prefix):
                name, slash, _ = key.removeprefix(prefix).partition("/")
                entries[name] = (
                    Entry(name=name, is_folder=True)
                    if slash
                    else Entry(
                        name=name,
                        is_folder=False,
                        size_bytes=stat.size_bytes,
                        modified_seconds=stat.modified_seconds,
                    )
                )
        names = sorted(name for name in entries if name > after)
        page = tuple(entries[name] for name in names[:limit])
        return Listing(entries=page, next_after=page[-1].name if len(names) > limit else None)

    def delete(self, key: str) -> None:
        if self._is_folder(key):
            raise WrongKind(f"{key!r} is a folder.")
        with self._lock:
            self._files.pop(key, None)

    def delete_prefix(self, key: str) -> Deleted:
        gone = [name for name in self._snapshot() if not key or name == key or name.startswith(f"{key}/")]
        with self._lock:
            sizes = [len(self._files.pop(name)[0]) for name in gone if name in self._files]
        return Deleted(files=len(sizes), size_bytes=sum(sizes))

    def _file(self, key: str) -> tuple[bytes, Stat]:
        found = self._snapshot().get(key)
        if found is not None:
            return found
        if self._is_folder(key):
            raise WrongKind(f"{key!r} is a folder.")
        raise ArtifactNotFound(f"No such artifact: {key!r}")

    def _keep(self, key: str, content: bytes) -> Stat:
        self._check_free(key)
        digest = hashlib.sha256(content).hexdigest()
        stat = Stat(size_bytes=len(content), modified_seconds=self._now_seconds(), etag=digest)
        with self._lock:
            self._files[key] = (content, stat)
        return stat

    def _check_free(self, key: str) -> None:
        if self._is_folder(key):
            raise WrongKind(f"{key!r} is a folder.")
        folder = ""
        for segment in key.split("/")[:-1]:
            folder = join(folder, segment)
            if folder in self._snapshot():
                raise WrongKind(f"{folder!r} is a file, so nothing can be put below it.")

    def _is_folder(self, key: str) -> bool:
        return not key or any(name.startswith(f"{key}/") for name in self._snapshot())

    def _snapshot(self) -> dict[str, tuple[bytes, Stat]]:
        with self._lock:
            return dict(self._files)
