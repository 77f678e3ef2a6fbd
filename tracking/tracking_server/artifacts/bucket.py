"""What an object store can do, in the few calls that the artifact store is made of: one adapter for each SDK.

Names are whole names of objects, prefix and all. Every call raises the errors of `store` and no others, and repeats by
itself what a repetition may mend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tracking_server.artifacts.store import Leftover, Stat, Wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundObject:
    name: str
    size_bytes: int
    is_marker: bool = False
    """It stands for a folder, and is no file."""
    modified_seconds: float | None = None
    """None when the listing does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """`folders` are beginnings of names, with their slash. `next_after` is None on the last page."""

    objects: Sequence[FoundObject]
    folders: Sequence[str] = ()
    next_after: str | None = None


class ObjectStream(Protocol):
    """Bytes `start` to `stop` (not included) of an object, in one answer of the store."""

    @property
    def stat(self) -> Stat: ...

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...

    def read(self, limit_bytes: int) -> bytes:
        """Empty when the store sends no more, which may be too early. Raises StoreUnavailable."""
        ...

    def close(self) -> None: ...


class Upload(Protocol):
    """An object on its way in, in parts."""

    def add(self, part: bytearray) -> None: ...

    def finish(self, last: bytearray) -> Stat:
        """Adds the last part, which is not empty; then the object is there."""
        ...

    def abort(self) -> None:
        """Leaves no part behind."""
        ...


class Bucket(Protocol):
    @property
    def uri(self) -> str:
        """As messages name it, without the prefix."""
        ...

    @property
    def part_bytes(self) -> int:
        """The size of the first part of an upload, and of what is put in one call at most."""
        ...

    @property
    def part_limit(self) -> int:
        """How many parts an object may have."""
        ...

    @property
    def span_bytes(self) -> int | None:
        """How much one call may read; None for everything."""
        ...

    def head(self, name: str) -> Stat:
        """Raises ArtifactNotFound."""
        ...

    def read(self, name: str, wanted: Wanted, etag: str | None = None) -> ObjectStream:
        """With `etag`, of that content or none. Raises ArtifactNotFound, RangeNotSatisfiable, StoreChanged."""
        ...

    def put(self, name: str, content: bytearray) -> Stat: ...

    def upload(self, name: str) -> Upload: ...

    def page(self, prefix: str, *, after: str = "", limit: int, is_deep: bool) -> Page:
        """One call. `is_deep`: whatever the depth; if not, what has one more slash is a folder."""
        ...

    def delete(self, objects: Sequence[FoundObject]) -> Sequence[Leftover]:
        """At most as many as a page has. What is not there is deleted already."""
        ...

    def tidy(self, name: str) -> None:
        """Takes away what is no file, of an object or folder that is gone: unfinished uploads, a mark of the folder."""
        ...

    def close(self) -> None: ...
