"""Where artifacts are, as a command sees them: few calls, the same for a store and for a server in front of one."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self, TypeAlias

from tracking_server.artifacts.store import ArtifactStore, Listing, Reader, Stat, Wanted

CHUNK_BYTES: Final = 512 * 1024

Advance: TypeAlias = Callable[[int], None]
"""Told of each number of bytes that has passed; negative when they must pass again. Raises `Stopped`."""


class Stopped(Exception):
    """The person at the keyboard wants no more."""


@dataclass(kw_only=True, slots=True)
class Passing:
    """The bytes of one file that have passed in one attempt."""

    advance: Advance
    count: int = 0

    def passed(self, count: int) -> None:
        self.count += count
        self.advance(count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with suppress(Stopped):
                self.advance(-self.count)


class Files(Protocol):
    """Raises the errors of `artifacts.store`, and no others."""

    def open(self, key: str, wanted: Wanted = None) -> Reader: ...

    def stat(self, key: str) -> Stat: ...

    def list(self, folder: str, *, after: str = "") -> Listing: ...

    def put(self, key: str, size_bytes: int, chunks: Iterable[bytes]) -> None:
        """Whole or not at all. What `chunks` raises ends it."""
        ...


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """In the store itself, with the credentials of the environment."""

    store: ArtifactStore

    def open(self, key: str, wanted: Wanted = None) -> Reader:
        return self.store.open(key, wanted)

    def stat(self, key: str) -> Stat:
        return self.store.stat(key)

    def list(self, folder: str, *, after: str = "") -> Listing:
        return self.store.list(folder, after=after)

    def put(self, key: str, size_bytes: int, chunks: Iterable[bytes]) -> None:  # noqa: ARG002 - a store is not told
        with self.store.create(key) as writer:
            for chunk in chunks:
                writer.write(chunk)
            writer.commit()


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """A file or a folder in them."""

    files: Files
    key: str
