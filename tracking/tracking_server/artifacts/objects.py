"""An artifact store in a bucket: its promises over the few calls of any object store."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from tracking_server.artifacts.bucket import Bucket, FoundObject, ObjectStream, Upload
from tracking_server.artifacts.many import leftover_of
from tracking_server.artifacts.part_sizes import part_bytes
from tracking_server.artifacts.paths import InvalidPath, join, parse_key
from tracking_server.artifacts.ranges import span
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    ByteRange,
    Deleted,
    Entry,
    FinalBytes,
    Leftover,
    Listing,
    RangeNotSatisfiable,
    Stat,
    StoreChanged,
    StoreUnavailable,
    Wanted,
    WrongKind,
)
from tracking_server.errors import TrackingError

logger = logging.getLogger(__name__)

PAGE_LIMIT: Final = 1000
_ATTEMPTS: Final = 4
"""How often a download goes on where it was cut, until nothing comes any more."""


class ObjectReader:
    """Goes on with the same content where the store, or the way to it, gave up."""

    def __init__(self, bucket: Bucket, name: str, stream: ObjectStream, stop: int) -> None:
        self.stat = stream.stat
        self.start = stream.start
        self.stop = stop
        self._bucket = bucket
        self._name = name
        self._stream: ObjectStream | None = stream
        self._position = stream.start

    def read(self, limit_bytes: int) -> bytes:
        attempts = 0
        while self._stream is not None and self._position < self.stop:
            try:
                chunk = self._stream.read(min(limit_bytes, self.stop - self._position))
                if chunk:
                    self._position += len(chunk)
                    return chunk
                if self._position < self._stream.stop:
                    attempts += 1
                    self._check(attempts, None)
            except StoreUnavailable as error:
                attempts += 1
                self._check(attempts, error)
            self._reopen()
        return b""

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _check(self, attempts: int, error: StoreUnavailable | None) -> None:
        if attempts >= _ATTEMPTS or isinstance(error, StoreChanged):
            raise error or StoreUnavailable(f"{self._bucket.uri} ends the download too early, again and again.")

    def _reopen(self) -> None:
        if self._stream is not None:
            self._stream.close()
        wanted = _next_span(self._position, self.stop, self._bucket.span_bytes)
        try:
            self._stream = self._bucket.read(self._name, wanted, self.stat.etag)
        except (ArtifactNotFound, RangeNotSatisfiable) as error:
            raise StoreChanged("The file was deleted or replaced while it was read. Begin again.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ObjectWriter:
    """Holds one part. A small file is put in one call; a part goes as soon as there is more than it holds."""

    def __init__(self, bucket: Bucket, name: str) -> None:
        self._bucket = bucket
        self._name = name
        self._part = bytearray()
        self._number = 0
        self._upload: Upload | None = None
        self._is_open = True

    def write(self, chunk: bytes) -> None:
        self._check_open()
        rest = memoryview(chunk)
        while rest:
            size = part_bytes(self._bucket.part_bytes, self._bucket.part_limit, self._number)
            room = size - len(self._part)
            if room:
                self._part += rest[:room]
                rest = rest[room:]
            else:
                self._send()

    def commit(self) -> Stat:
        self._check_open()
        upload, part = self._upload, self._part
        stat = self._bucket.put(self._name, part) if upload is None else upload.finish(part)
        self._is_open = False
        self._part = bytearray()
        return stat

    def abort(self) -> None:
        """Parts that cannot be taken away are told to the log: nobody who calls this could do anything."""
        upload, self._upload = self._upload, None
        self._part = bytearray()
        if not self._is_open or upload is None:
            self._is_open = False
            return
        self._is_open = False
        try:
            upload.abort()
        except TrackingError as error:
            logger.warning(
                "parts of an upload are left in the store",
                extra={"store": self._bucket.uri, "key": self._name, "reason": error.message},
            )

    def _send(self) -> None:
        if self._upload is None:
            self._upload = self._bucket.upload(self._name)
        part, self._part = self._part, bytearray()
        self._upload.add(part)
        self._number += 1

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreUnavailable(f"The upload of {self._name!r} has ended already.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


@dataclass(kw_only=True, slots=True)
class _Tally:
    files: int = 0
    size_bytes: int = 0
    leftovers: list[Leftover] = field(default_factory=list[Leftover])


class ObjectStore:
    """`prefix` is the folder of the bucket that is the root; the bucket itself when it is empty."""

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self.bucket = bucket
        self._prefix = prefix

    @property
    def writer_bytes(self) -> int:
        return self.bucket.part_bytes

    def open(self, key: str, wanted: Wanted = None) -> ObjectReader:
        name = self.name_of(key)
        try:
            stream = self._stream(name, wanted)
        except ArtifactNotFound:
            raise self._missing(key) from None
        try:
            _, stop = span(wanted, stream.stat.size_bytes)
        except BaseException:
            stream.close()
            raise
        return ObjectReader(self.bucket, name, stream, stop)

    def create(self, key: str) -> ObjectWriter:
        return ObjectWriter(self.bucket, self.name_of(key))

    def stat(self, key: str) -> Stat:
        try:
            return self.bucket.head(self.name_of(key))
        except ArtifactNotFound:
            raise self._missing(key) from None

    def list(self, folder: str, *, after: str = "", limit: int = PAGE_LIMIT) -> Listing:
        prefix = self._folder_name(folder)
        page = self.bucket.page(prefix, after=after, limit=min(limit, PAGE_LIMIT), is_deep=False)
        found = [Entry(name=name[len(prefix) :].removesuffix("/"), is_folder=True) for name in page.folders]
        found += [
            Entry(
                name=each.name[len(prefix) :],
                is_folder=False,
                size_bytes=each.size_bytes,
                modified_seconds=each.modified_seconds,
            )
            for each in page.objects
            if not each.is_marker
        ]
        entries = sorted((entry for entry in found if _is_key(entry.name)), key=_name)
        return Listing(entries=tuple(entries), next_after=page.next_after)

    def delete(self, key: str) -> None:
        if self._is_folder(key):
            raise WrongKind(f"{key!r} is a folder.")
        for leftover in self.bucket.delete((FoundObject(name=self.name_of(key), size_bytes=0),)):
            raise StoreUnavailable(f"{key!r} could not be deleted: {leftover.reason}.")

    def delete_prefix(self, key: str) -> Deleted:
        """Pages go one by one. After more than one, all is looked at again: some stores count pages by position."""
        tally = _Tally()
        if key:
            self._delete_batch(self._file(key), tally)
        while self._sweep(key, tally) > 1:
            pass
        if key:
            self.bucket.tidy(self.name_of(key))
        leftovers = tuple(replace(each, key=self._key_of(each.key)) for each in tally.leftovers)
        return Deleted(files=tally.files, size_bytes=tally.size_bytes, leftovers=leftovers)

    def name_of(self, key: str) -> str:
        return join(self._prefix, key)

    def close(self) -> None:
        self.bucket.close()

    def _stream(self, name: str, wanted: Wanted) -> ObjectStream:
        if wanted == FinalBytes(count=0):
            raise RangeNotSatisfiable(self.bucket.head(name).size_bytes)
        if self.bucket.span_bytes is None or isinstance(wanted, FinalBytes):
            return self.bucket.read(name, wanted)
        try:
            first, last = (wanted.first, wanted.last) if wanted else (0, None)
            stop = None if last is None else last + 1
            return self.bucket.read(name, _next_span(first, stop, self.bucket.span_bytes))
        except RangeNotSatisfiable:
            if wanted is None:  # an empty file has no first byte
                return self.bucket.read(name, None)
            raise

    def _missing(self, key: str) -> ArtifactNotFound | WrongKind:
        if self._is_folder(key):
            return WrongKind(f"{key!r} is a folder.")
        return ArtifactNotFound(f"No such artifact: {key!r}")

    def _is_folder(self, key: str) -> bool:
        page = self.bucket.page(self._folder_name(key), limit=1, is_deep=True)
        return not key or bool(page.objects or page.folders)

    def _folder_name(self, folder: str) -> str:
        name = self.name_of(folder)
        return f"{name}/" if name else ""

    def _key_of(self, name: str) -> str:
        return name.removeprefix(f"{self._prefix}/") if self._prefix else name

    def _file(self, key: str) -> Sequence[FoundObject]:
        try:
            stat = self.bucket.head(self.name_of(key))
        except ArtifactNotFound:
            return ()
        return (FoundObject(name=self.name_of(key), size_bytes=stat.size_bytes),)

    def _sweep(self, key: str, tally: _Tally) -> int:
        """Deletes what is below a folder, and returns in how many batches. What has been left once is left alone.

        What stands for folders goes last, and inner ones before outer ones: some stores delete only empty folders.
        """
        left = {leftover.key for leftover in tally.leftovers}
        batches = 0
        markers: list[FoundObject] = []
        for page in self._deep_pages(key):
            found = [each for each in page if each.name not in left]
            markers += [each for each in found if each.is_marker]
            batches += self._delete_batch([each for each in found if not each.is_marker], tally)
        for marker in reversed(markers):
            self._delete_batch((marker,), tally)
        return batches

    def _deep_pages(self, key: str) -> Iterator[Sequence[FoundObject]]:
        after: str | None = ""
        while after is not None:
            page = self.bucket.page(self._folder_name(key), after=after, limit=PAGE_LIMIT, is_deep=True)
            yield page.objects
            after = page.next_after

    def _delete_batch(self, found: Sequence[FoundObject], tally: _Tally) -> int:
        """How many batches that were: 1, or 0 when there was nothing to delete."""
        if not found:
            return 0
        try:
            leftovers = self.bucket.delete(found)
        except TrackingError as error:
            leftovers = [leftover_of(each.name, error) for each in found]
        stays = {leftover.key for leftover in leftovers}
        gone = [each for each in found if each.name not in stays and not each.is_marker]
        tally.leftovers.extend(leftovers)
        tally.files += len(gone)
        tally.size_bytes += sum(each.size_bytes for each in gone)
        return 1


def _next_span(start: int, stop: int | None, span_bytes: int | None) -> ByteRange:
    """From `start` as much as one call may read, and not beyond `stop`."""
    ends = [end for end in (stop, None if span_bytes is None else start + span_bytes) if end is not None]
    return ByteRange(first=start, last=min(ends) - 1 if ends else None)


def _is_key(name: str) -> bool:
    """What somebody else put there under a name that is no key cannot be asked for, so it is not shown."""
    try:
        return bool(name and parse_key(f"folder/{name}"))
    except InvalidPath:
        return False


def _name(entry: Entry) -> str:
    return entry.name
