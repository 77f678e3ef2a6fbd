"""Archives as files: written beside their name and then renamed, read as a stream; never whole in memory."""

import fcntl
import hashlib
import io
import os
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import zstandard

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
from tracking_server.errors import BackupFailed

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LEVEL: Final = 3
_CHUNK_BYTES: Final = 1 << 20
_LARGEST_WINDOW: Final = 1 << 27
_MOST_LINE_BYTES: Final = 1 << 30
_UNFINISHED: Final = ".trackplane-unfinished-"


def archive_path(destination: Path, now: datetime) -> Path:
    """A new name in a folder, or the path as it is."""
    if not destination.is_dir():
        return destination
    return destination / f"trackplane-{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}.zst"


class ArchiveWriter:
    """Lines into an archive that is not there yet."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True, write_content_size=True)
        self._digest = hashlib.sha256()
        self._lines = bytearray()
        self.size_bytes = 0
        self._put(FIRST_FRAME)

    def write(self, line: bytes) -> None:
        self._lines += line
        if len(self._lines) >= FRAME_CHARACTERS:
            self._flush()

    def finish(self, manifest: Manifest) -> str:
        """The SHA-256 of the whole file."""
        self._flush()
        self._put(encode_last_frame(manifest))
        return self._digest.hexdigest()

    def _flush(self) -> None:
        if self._lines:
            self._put(self._compressor.compress(bytes(self._lines)))
            self._lines.clear()

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self._digest.update(content)
        self.size_bytes += len(content)


@contextmanager
def new_archive(path: Path) -> Generator[ArchiveWriter]:
    """The file is there, for its owner only, when the block has ended well; else nothing is. Raises BackupFailed."""
    if path.exists():
        raise BackupFailed(
            f"{path} exists already, and an archive is never overwritten. Name another file, or a folder."
        )
    try:
        _remove_unfinished(path.parent)
        unfinished = path.with_name(f"{_UNFINISHED}{uuid.uuid4().hex}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                yield ArchiveWriter(file)
                file.flush()
                os.fsync(file.fileno())
                unfinished.rename(path)
            finally:
                unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise BackupFailed(f"The archive {path} cannot be written: {error.strerror or error}.") from error


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


class ArchiveReader:
    """The manifest of an open archive, and its lines. Raises ArchiveDamaged."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)
        if self.size_bytes < len(FIRST_FRAME) + END_BYTES or self._read(0, len(FIRST_FRAME)) != FIRST_FRAME:
            raise ArchiveDamaged("It is not an archive of Trackplane.")
        end = self._read(self.size_bytes - END_BYTES, END_BYTES)
        self._rows_end = self.size_bytes - END_BYTES - manifest_bytes(end) - LAST_FRAME_HEAD_BYTES
        if self._rows_end < len(FIRST_FRAME):
            raise ArchiveDamaged("It does not end as an archive does.")
        self.manifest: Final = decode_last_frame(self._read(self._rows_end, self.size_bytes - self._rows_end))

    def lines(self) -> Iterator[bytes]:
        """Each with its newline."""
        begun: list[bytes] = []
        begun_bytes = 0
        for chunk in self._chunks():
            first, *others = chunk.split(b"\n")
            begun.append(first)
            begun_bytes += len(first)
            if begun_bytes > _MOST_LINE_BYTES:
                raise ArchiveDamaged("A row in it has no end.")
            if others:
                *whole, last = others
                yield b"".join([*begun, b"\n"])
                for line in whole:
                    yield line + b"\n"
                begun, begun_bytes = [last], len(last)
        if begun_bytes:
            raise ArchiveDamaged("The last row in it is cut off.")

    def sha256(self) -> str:
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    def _chunks(self) -> Iterator[bytes]:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
        source = io.BufferedReader(_Part(self._file, len(FIRST_FRAME), self._rows_end), _CHUNK_BYTES)
        try:
            with decompressor.stream_reader(source, read_across_frames=True, closefd=False) as reader:
                while chunk := reader.read(_CHUNK_BYTES):
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
