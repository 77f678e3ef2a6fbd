"""An archive in an artifact store as a file: written in one stream, read from any place, never whole in memory."""

import errno
import io
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracking_server.artifacts.store import ArtifactNotFound, ArtifactStore, ByteRange, Reader, Writer
from tracking_server.database.archive.encryption import Sink
from tracking_server.database.archive.files import READ_BYTES, already_there
from tracking_server.database.archive.seekable import SeekableFile
from tracking_server.errors import BackupFailed, TrackingError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@contextmanager
def new_object(store: ArtifactStore, key: str, uri: str) -> Generator[Sink]:
    """The file is there when the block has ended well; else nothing is. Raises BackupFailed."""
    with _writing(uri):
        if _is_there(store, key):
            raise already_there(uri)
        writer = store.create(key)
    with writer:
        yield _ObjectSink(writer, uri)
        with _writing(uri):
            writer.commit()


class _ObjectSink:
    def __init__(self, writer: Writer, uri: str) -> None:
        self._writer = writer
        self._uri = uri

    def write(self, content: bytes, /) -> None:
        with _writing(self._uri):
            self._writer.write(content)


def _is_there(store: ArtifactStore, key: str) -> bool:
    try:
        store.stat(key)
    except ArtifactNotFound:
        return False
    return True


@contextmanager
def _writing(uri: str) -> Generator[None]:
    try:
        yield
    except TrackingError as error:
        raise BackupFailed(f"The archive {uri} cannot be written: {error.message}") from error


def open_stored(store: ArtifactStore, key: str, uri: str, buffer_bytes: int = READ_BYTES) -> io.BufferedReader:
    """Raises OSError."""
    return io.BufferedReader(StoredFile(store, key, uri), buffer_bytes)


class StoredFile(SeekableFile):
    """A file of a store. What is read in one go comes in one answer of the store; the first read after a jump asks for
    no more than it needs. It is one content to the end: OSError when somebody replaces it, as when it cannot be read.
    """

    def __init__(self, store: ArtifactStore, key: str, uri: str) -> None:
        self._reader: Reader | None = None
        self._store = store
        self._key = key
        self._uri = uri
        self._stop = -1
        """Where the last read ended."""
        with _reading(uri):
            stat = store.stat(key)
        super().__init__(stat.size_bytes)
        self._etag = stat.etag

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        if not view or self._position >= self.size_bytes:
            return 0
        with _reading(self._uri):
            content = self._read(len(view))
        view[: len(content)] = content
        self._position += len(content)
        self._stop = self._position
        return len(content)

    def close(self) -> None:
        self._leave()
        super().close()

    def _read(self, limit_bytes: int) -> bytes:
        if self._reader is not None and self._stop == self._position and (chunk := self._reader.read(limit_bytes)):
            return chunk
        self._leave()
        goes_on = self._stop == self._position
        last = None if goes_on else min(self._position + limit_bytes, self.size_bytes) - 1
        self._reader = self._store.open(self._key, ByteRange(first=self._position, last=last))
        if self._reader.stat.etag != self._etag:
            raise OSError(errno.ESTALE, "it was replaced while it was read", self._uri)
        chunk = self._reader.read(limit_bytes)
        if not chunk:
            raise OSError(errno.EIO, "the store sends less than it has", self._uri)
        return chunk

    def _leave(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()


@contextmanager
def _reading(uri: str) -> Generator[None]:
    try:
        yield
    except ArtifactNotFound as error:
        raise FileNotFoundError(errno.ENOENT, "it is not there", uri) from error
    except TrackingError as error:
        raise OSError(errno.EIO, error.message, uri) from error
