"""What some stores can do besides: give a client an address at which it may read or write one file for a while.

The bytes then go straight between client and store. A signature lasts no longer than the credentials that made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from tracking_server.artifacts.checked import CheckedStore
from tracking_server.artifacts.objects import ObjectStore
from tracking_server.artifacts.store import ArtifactStore, Stat
from tracking_server.errors import InvalidParameter

MOST_SECONDS: Final = 7 * 24 * 3600
"""No store signs for longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedUrl:
    """`headers` must be sent with the call, exactly so."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True, slots=True)
class StartedParts:
    """An upload whose parts a client puts by itself; `parts` in the order of their numbers, from 1."""

    upload_id: str
    parts: Sequence[SignedUrl]


@dataclass(frozen=True, kw_only=True, slots=True)
class SentPart:
    number: int
    etag: str


@runtime_checkable
class SigningBucket(Protocol):
    """Of a bucket, by whole names of objects. All calls raise the errors of `store`, and no others."""

    def sign_get(self, name: str, seconds: int) -> SignedUrl: ...

    def sign_put(self, name: str, seconds: int) -> SignedUrl: ...


@runtime_checkable
class PartsBucket(Protocol):
    """The same for uploads in parts."""

    @property
    def signed_part_limit(self) -> int: ...

    def start_parts(self, name: str, count: int, seconds: int) -> StartedParts: ...

    def complete_parts(self, name: str, upload_id: str, parts: Sequence[SentPart]) -> Stat: ...

    def abort_parts(self, name: str, upload_id: str) -> None: ...


class SigningStore:
    """Signs for one file. Keys are those of the artifact store."""

    def __init__(self, store: ObjectStore, bucket: SigningBucket) -> None:
        self._store = store
        self._bucket = bucket

    def sign_get(self, key: str, seconds: int) -> SignedUrl:
        """For a file that need not be there: whoever uses it then learns that it is not."""
        return self._bucket.sign_get(self._store.name_of(key), min(seconds, MOST_SECONDS))

    def sign_put(self, key: str, seconds: int) -> SignedUrl:
        return self._bucket.sign_put(self._store.name_of(key), min(seconds, MOST_SECONDS))


class PartsStore:
    """Uploads whose parts clients put by themselves. Keys are those of the artifact store."""

    def __init__(self, store: ObjectStore, bucket: PartsBucket) -> None:
        self._store = store
        self._bucket = bucket

    def start_parts(self, key: str, count: int, seconds: int) -> StartedParts:
        """Raises InvalidParameter for more parts than the store takes."""
        limit = self._bucket.signed_part_limit
        if not 1 <= count <= limit:
            raise InvalidParameter(f"An upload to {self._store.bucket.uri} has from 1 to {limit} parts, not {count}.")
        return self._bucket.start_parts(self._store.name_of(key), count, min(seconds, MOST_SECONDS))

    def complete_parts(self, key: str, upload_id: str, parts: Sequence[SentPart]) -> Stat:
        """Raises InvalidParameter for parts that are not those sent, ArtifactNotFound for no upload."""
        return self._bucket.complete_parts(
            self._store.name_of(key), upload_id, sorted(parts, key=lambda part: part.number)
        )

    def abort_parts(self, key: str, upload_id: str) -> None:
        """An upload that is not there is given up already."""
        self._bucket.abort_parts(self._store.name_of(key), upload_id)


def signing_store(store: ArtifactStore) -> SigningStore | None:
    """None for a store that cannot sign."""
    inner = _inner(store)
    if isinstance(inner, ObjectStore) and isinstance(inner.bucket, SigningBucket):
        return SigningStore(inner, inner.bucket)
    return None


def parts_store(store: ArtifactStore) -> PartsStore | None:
    """None for a store that takes no parts from clients."""
    inner = _inner(store)
    if isinstance(inner, ObjectStore) and isinstance(inner.bucket, PartsBucket):
        return PartsStore(inner, inner.bucket)
    return None


def _inner(store: ArtifactStore) -> ArtifactStore:
    return store.inner if isinstance(store, CheckedStore) else store
