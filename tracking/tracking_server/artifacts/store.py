"""The artifact store: what every place for files promises, and how it says that it cannot.

TrackingError
├── InvalidParameter
│   ├── InvalidPath             400  not a key (raised by `paths`)
│   └── WrongKind               400  a folder where a file is meant, or a file where a folder is
├── DoesNotExist
│   └── ArtifactNotFound        404
├── RangeNotSatisfiable         416  the file is shorter than the first byte asked for
├── PermissionDenied
│   └── StoreDenied             403  the store refuses the credentials that the server has; its administrator acts
│       └── ClockSkewed         403  because the clock of the server is wrong
├── InvalidState
│   └── StoreMisconfigured      400  options that do not fit; the same
│       ├── BucketMissing       400  no bucket of that name
│       ├── RegionWrong         400  it is in another region
│       └── StoreUntrusted      400  its certificate is not one that the server trusts
├── NotImplementedHere          501  the store has no such ability
└── TemporarilyUnavailable
    └── StoreUnavailable        503  the store did not answer, or is full
        ├── StoreThrottled      503  the store answers, and wants fewer calls
        └── StoreChanged        503  the file was replaced or deleted while it was read: begin again

What no repetition mends is never 5xx: clients repeat a 5xx for minutes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self, TypeAlias

import msgspec

from tracking_server.errors import (
    DoesNotExist,
    InvalidParameter,
    InvalidState,
    PermissionDenied,
    TemporarilyUnavailable,
    TrackingError,
)


class WrongKind(InvalidParameter):
    pass


class ArtifactNotFound(DoesNotExist):
    pass


class RangeNotSatisfiable(TrackingError):
    error_code = "INVALID_PARAMETER_VALUE"
    http_status = 416

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The range starts behind the end of the file, which has {size_bytes} bytes.")
        self.size_bytes = size_bytes


class StoreDenied(PermissionDenied):
    pass


class StoreMisconfigured(InvalidState):
    pass


class StoreUntrusted(StoreMisconfigured):
    pass


class BucketMissing(StoreMisconfigured):
    pass


class RegionWrong(StoreMisconfigured):
    pass


class ClockSkewed(StoreDenied):
    pass


class StoreUnavailable(TemporarilyUnavailable):
    pass


class StoreThrottled(StoreUnavailable):
    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after_seconds=5)


class StoreChanged(StoreUnavailable):
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Stat:
    """`etag` changes whenever the content does; it is opaque, and without quotes."""

    size_bytes: int
    modified_seconds: float
    """Since the epoch."""
    etag: str


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One name directly below a folder; size and time are those of a file. A dataclass would take as long to make as
    the file to be looked at."""

    name: str
    is_folder: bool
    size_bytes: int = 0
    modified_seconds: float | None = None
    """None where only `stat` knows it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """One page of a folder, sorted by name. `next_after` begins the next one; it is opaque, and None on the last page.

    Pages come in the order of the store: a bucket sorts a folder `a` as `a/`, so behind `a.txt`.
    """

    entries: Sequence[Entry]
    next_after: str | None = None


def entries_of(page_after: Callable[[str], Listing]) -> Iterator[Entry]:
    """All entries of a folder, a page at a time. `page_after` is asked with what the page before it said, first ""."""
    after: str | None = ""
    while after is not None:
        page = page_after(after)
        yield from page.entries
        after = page.next_after


@dataclass(frozen=True, kw_only=True, slots=True)
class ByteRange:
    """Bytes `first` to `last`, both included; to the end of the file when `last` is None."""

    first: int
    last: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FinalBytes:
    """So many bytes before the end of the file, or all when it has fewer."""

    count: int


Wanted: TypeAlias = ByteRange | FinalBytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """What could not be deleted, and why."""

    key: str
    reason: str
    is_lasting: bool = False
    """Trying again will not help: somebody must give a right, or take away a lock."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    files: int = 0
    size_bytes: int = 0
    leftovers: Sequence[Leftover] = ()


class Reader(Protocol):
    """One file, opened: bytes `start` to `stop` (not included) of what `stat` describes.

    A file replaced after it was opened keeps giving the old content, or fails; it never gives a mixture.
    """

    @property
    def stat(self) -> Stat: ...

    @property
    def start(self) -> int: ...

    @property
    def stop(self) -> int: ...

    def read(self, limit_bytes: int) -> bytes:
        """At least one byte and at most so many; empty only at the end."""
        ...

    def close(self) -> None:
        """May be called twice, and from another thread once no `read` is running."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Writer(Protocol):
    """One file on its way in. Nobody sees any of it before `commit`; without `commit`, nothing stays behind.

    Leaving the `with` block aborts what is not committed.
    """

    def write(self, chunk: bytes) -> None: ...

    def commit(self) -> Stat:
        """The file is there, whole, in place of any older one, and survives a crash of the machine."""
        ...

    def abort(self) -> None:
        """May be called at any time, twice too; after `commit` it does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ArtifactStore(Protocol):
    """Files under keys: `a/b/c.txt`, segments parted by one slash, as `paths.parse_key` returns them.

    The empty key is the root folder. Folders are there as long as something is in them, and need no making. A bucket
    may hold a file and a folder of one name: its folders are nothing but beginnings of names. All calls block, may come
    from several threads at once, and raise the errors above and no others. No call holds a whole file in memory, and
    none writes anywhere else than into the store.
    """

    @property
    def writer_bytes(self) -> int:
        """What a writer of a large file holds in memory. It grows with files beyond thousands of parts."""
        ...

    def open(self, key: str, wanted: Wanted = None) -> Reader:
        """Raises ArtifactNotFound, WrongKind for a folder, RangeNotSatisfiable."""
        ...

    def create(self, key: str) -> Writer:
        """Starts a file. A file system raises WrongKind, here or later, when a folder has the name, a file is above."""
        ...

    def stat(self, key: str) -> Stat:
        """Raises ArtifactNotFound, WrongKind for a folder."""
        ...

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
        """The names directly below a folder, from `after`, the `next_after` of the page before.

        A missing folder, and a file, are empty. A page may be shorter than `limit`, and empty too.
        """
        ...

    def delete(self, key: str) -> None:
        """Deletes one file. A missing one is deleted already; raises WrongKind for a folder."""
        ...

    def delete_prefix(self, key: str) -> Deleted:
        """Deletes the file of that name, or the folder with all that is in it; a missing one is deleted already.

        `a/b` never touches `a/bc`. What cannot be deleted is reported, and does not keep the rest from going.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a file or a folder is, or will be."""

    store: ArtifactStore
    key: str
