"""Archives as files: written beside their name and then renamed, read as a stream; never whole in memory."""

import fcntl
import hashlib
import io
import os
import re
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import zstandard

from tracking_server.database.archive.encryption import HEAD_BYTES, OpenedFile, Sink, is_encrypted, key_id_of
from tracking_server.database.archive.format import (
    END_BYTES,
    FIRST_FRAME,
    FRAME_CHARACTERS,
    LAST_FRAME_HEAD_BYTES,
    ArchiveDamaged,
    Manifest,
    decode_last_frame,
    encode_last_frame,
    manifest_bytes,
)
from tracking_server.database.archive.keys import BackupKey
from tracking_server.database.archive.seekable import SeekableFile
from tracking_server.errors import BackupFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LEVEL: Final = 3
READ_BYTES: Final = 1 << 20
_LARGEST_WINDOW: Final = 1 << 27
_MOST_LINE_BYTES: Final = 1 << 30
_UNFINISHED: Final = ".trackplane-unfinished-"

SUFFIXES: Final = (".zst", ".zst.enc")
"""Of archives, plain and encrypted ones."""
_OWN_NAME: Final = re.compile(r"trackplane-[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}\.zst(\.enc)?")


def archive_name(now: datetime, *, is_encrypted: bool) -> str:
    """For an archive that nobody has named."""
    return f"trackplane-{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}{SUFFIXES[is_encrypted]}"


def has_own_name(name: str) -> bool:
    """Whether it is called as `archive_name` calls archives."""
    return _OWN_NAME.fullmatch(name) is not None


class DigestedSink:
    """Passes bytes on, and counts and digests them."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def write(self, content: bytes, /) -> None:
        self._sink.write(content)
        self._digest.update(content)
        self.size_bytes += len(content)

    def sha256(self) -> str:
        return self._digest.hexdigest()


class ArchiveWriter:
    """Lines into an archive that is not there yet."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
        self._lines = bytearray()
        sink.write(FIRST_FRAME)

    def write(self, line: bytes) -> None:
        self._lines += line
        if len(self._lines) >= FRAME_CHARACTERS:
            self._flush()

    def finish(self, manifest: Manifest) -> None:
        self._flush()
        self._sink.write(encode_last_frame(manifest))

    def _flush(self) -> None:
        if self._lines:
            self._sink.write(self._compressor.compress(bytes(self._lines)))
            self._lines.clear()


@contextmanager
def new_file(path: Path) -> Generator[BinaryIO]:
    """The file is there, for its owner only, when the block has ended well; else nothing is. Raises BackupFailed."""
    if path.exists():
        raise already_there(str(path))
    try:
        _remove_unfinished(path.parent)
        unfinished = path.with_name(f"{_UNFINISHED}{uuid.uuid4().hex}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                unfinished.rename(path)
            finally:
                unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise BackupFailed(f"The archive {path} cannot be written: {error.strerror or error}.") from error


def already_there(name: str) -> BackupFailed:
    return BackupFailed(f"{name} exists already, and an archive is never overwritten. Name another file, or a folder.")


def _remove_unfinished(folder: Path) -> None:
    """What killed backups have left. A lock shows those that are still being written."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_archive(file: io.BufferedReader, keys: Sequence[BackupKey] = ()) -> "ArchiveReader":
    """A plain or an encrypted one. Raises ArchiveDamaged, OSError, and ConfigInvalid when its key is not there."""
    head = file.read(HEAD_BYTES)
    if not is_encrypted(head):
        return ArchiveReader(file)
    return ArchiveReader(io.BufferedReader(OpenedFile(file, head, keys)), key_id=key_id_of(head))


class ArchiveReader:
    """The manifest of an open archive, and its lines. Raises ArchiveDamaged."""

    def __init__(self, file: io.BufferedReader, *, key_id: str | None = None) -> None:
        """`key_id`: of the key that the file is encrypted with."""
        self.key_id = key_id
        self._file = file
        size_bytes = file.seek(0, os.SEEK_END)
        if size_bytes < len(FIRST_FRAME) + END_BYTES or self._read(0, len(FIRST_FRAME)) != FIRST_FRAME:
            raise ArchiveDamaged("It is not an archive of Trackplane.")
        end = self._read(size_bytes - END_BYTES, END_BYTES)
        self._rows_end = size_bytes - END_BYTES - manifest_bytes(end) - LAST_FRAME_HEAD_BYTES
        if self._rows_end < len(FIRST_FRAME):
            raise ArchiveDamaged("It does not end as an archive does.")
        self.manifest: Final = decode_last_frame(self._read(self._rows_end, size_bytes - self._rows_end))

    def blocks(self) -> Iterator[Sequence[bytes]]:
        """Some lines at a time, each with its newline."""
        begun: list[bytes] = []
        begun_bytes = 0
        for chunk in self._chunks():
            end = chunk.rfind(b"\n") + 1
            begun.append(chunk[: end or len(chunk)])
            begun_bytes += len(begun[-1])
            if end:
                yield b"".join(begun).splitlines(keepends=True)
                begun, begun_bytes = [chunk[end:]], len(chunk) - end
            elif begun_bytes > _MOST_LINE_BYTES:
                raise ArchiveDamaged("A row in it has no end.")
        if begun_bytes:
            raise ArchiveDamaged("The last row in it is cut off.")

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def _chunks(self) -> Iterator[bytes]:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        source = io.BufferedReader(_Part(self._file, len(FIRST_FRAME), self._rows_end), READ_BYTES)
        try:
            with decompressor.stream_reader(source, read_across_frames=True, closefd=False) as reader:
                while chunk := reader.read(READ_BYTES):
                    yield chunk
        except zstandard.ZstdError as error:
            raise ArchiveDamaged(f"Its rows are damaged: {error}.") from error


class _Part(io.RawIOBase):
    """A part of a file, for a reader that would go on to its end."""

    def __init__(self, file: io.BufferedReader, start: int, end: int) -> None:
        self._file = file
        self._left = end - start
        file.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        content = self._file.read(min(len(view), self._left))
        view[: len(content)] = content
        self._left -= len(content)
        return len(content)


class DigestedFile(SeekableFile):
    """A file that is read from any place, and digested on the way: a second reading is needed only of what the first
    one has left out."""

    def __init__(self, file: io.RawIOBase) -> None:
        super().__init__(file.seek(0, os.SEEK_END))
        self._file = file
        self._digest = hashlib.sha256()
        self._digested_bytes = 0

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._file.seek(self._position)
        view = memoryview(buffer)
        count = int(self._file.readinto(view) or 0)
        known_bytes = self._digested_bytes - self._position
        if 0 <= known_bytes < count:
            self._digest.update(view[known_bytes:count])
            self._digested_bytes += count - known_bytes
        self._position += count
        return count

    def sha256(self) -> str:
        """Of the whole file."""
        self.seek(self._digested_bytes)
        rest = bytearray(READ_BYTES)
        while self.readinto(rest):
            pass
        return self._digest.hexdigest()
