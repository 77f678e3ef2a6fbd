"""Files to this machine. Nothing half is ever there under its name, and what was begun goes on where it was."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tracking_server.artifacts.paths import InvalidPath, join, parse_key
from tracking_server.artifacts.store import (
    ByteRange,
    Entry,
    Listing,
    Reader,
    Stat,
    StoreChanged,
    StoreUnavailable,
    WrongKind,
)
from tracking_server.errors import TrackingError
from tracking_server.transfer.attempts import attempted
from tracking_server.transfer.files import CHUNK_BYTES, Advance, Files, Passing, Spot
from tracking_server.transfer.jobs import Job, Moved

_UNKNOWN_BYTES: Final = -1
"""The size, where the server does not tell it before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Downloading:
    """`root` is the folder that nothing may leave; `resumes` leaves alone what is there as the store has it."""

    root: Path
    resumes: bool
    planned: Advance
    """Told the size of each file that will come."""
    advance: Advance

    def jobs(self, spot: Spot, path: str) -> Iterator[Job]:
        """The file `path` below the spot, or all files of the folder. Finds them while the first are under way."""
        key = join(spot.key, path)
        page = attempted(lambda: spot.files.list(key))
        if page.entries or page.next_after is not None or not key:
            (self.root / path).mkdir(parents=True, exist_ok=True)
            yield from self._folder(spot, path, page)
        else:
            yield Job(path, lambda: self._file(spot.files, key, path))

    def _folder(self, spot: Spot, path: str, first: Listing | None = None) -> Iterator[Job]:
        """`first`: its first page, where that has been asked for already."""
        after: str | None = ""
        while after is not None:
            try:
                page = first or attempted(partial(spot.files.list, join(spot.key, path), after=after))
            except TrackingError as error:
                yield Job(path, _failing(error))
                return
            first = None
            for entry in page.entries:
                yield from self._entry(spot, path, entry)
            after = page.next_after

    def _entry(self, spot: Spot, folder: str, entry: Entry) -> Iterator[Job]:
        path = join(folder, entry.name)
        try:
            key = _key_of(spot, folder, entry.name)
        except InvalidPath as error:
            yield Job(path, _failing(error))
            return
        if entry.is_folder:
            yield from self._folder(spot, path)
        else:
            self.planned(entry.size_bytes)
            yield Job(path, lambda: self._file(spot.files, key, path))

    def _file(self, files: Files, key: str, path: str) -> Moved:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.parent.resolve().is_relative_to(self.root.resolve()):
            raise WrongKind(f"A link leads {path!r} out of {str(self.root)!r}.")
        return attempted(lambda: self._attempt(files, key, target))

    def _attempt(self, files: Files, key: str, target: Path) -> Moved:
        with files.open(key) as reader:
            stat = reader.stat
            if self.resumes and _is_there(target, stat):
                self.advance(stat.size_bytes)
                return Moved(stat.size_bytes, is_skipped=True)
            part = _part_of(target, stat)
            output = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            try:
                size_bytes = self._fill(files, key, reader, output)
                os.fsync(output)
            finally:
                os.close(output)
        if stat.modified_seconds:
            os.utime(part, (stat.modified_seconds, stat.modified_seconds))
        part.replace(target)
        return Moved(size_bytes)

    def _fill(self, files: Files, key: str, reader: Reader, output: int) -> int:
        """What is there of the same content stays: its name has the ETag."""
        _lock(output)
        size_bytes = reader.stat.size_bytes
        with Passing(advance=self.advance) as passing:
            there = _kept(output, reader.stat)
            passing.passed(there)
            if there == 0:
                _copy(reader, output, passing)
            elif there < size_bytes:
                with files.open(key, ByteRange(first=there)) as rest:
                    _check_same(reader.stat, rest, there)
                    _copy(rest, output, passing)
            if size_bytes not in {passing.count, _UNKNOWN_BYTES}:
                raise StoreUnavailable(f"Only {passing.count} of {size_bytes} bytes came.")
            return passing.count


def _lock(output: int) -> None:
    try:
        fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreUnavailable("Another download to the same place is under way.") from None


def _kept(output: int, stat: Stat) -> int:
    """The bytes that are there already. Without an ETag, nobody knows what they are of."""
    there = os.fstat(output).st_size
    if not stat.etag or there > stat.size_bytes:
        os.ftruncate(output, 0)
        there = 0
    return os.lseek(output, there, os.SEEK_SET)


def _check_same(stat: Stat, rest: Reader, there: int) -> None:
    if (rest.stat.etag, rest.start) != (stat.etag, there):
        raise StoreChanged("The file was replaced while it was read, or a part of it cannot be asked for.")


def _copy(reader: Reader, output: int, passing: Passing) -> None:
    while chunk := reader.read(CHUNK_BYTES):
        _write(output, chunk)
        passing.passed(len(chunk))


def _write(output: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(output, rest) :]


def _key_of(spot: Spot, folder: str, name: str) -> str:
    """What a store or a server says is believed only when it is a plain name."""
    if "/" in name:
        raise InvalidPath(name, "a name in a folder has no slash")
    return parse_key(join(spot.key, join(folder, parse_key(name))))


def _part_of(target: Path, stat: Stat) -> Path:
    """Short, whatever the name is, and another one for other content."""
    name, content = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (target.name, stat.etag))
    return target.with_name(f".{name}-{content}.part")


def _is_there(target: Path, stat: Stat) -> bool:
    """A download gives its file the time that the store tells."""
    try:
        found = target.stat()
    except OSError:
        return False
    is_same_time = bool(stat.modified_seconds) and int(found.st_mtime) == int(stat.modified_seconds)
    return is_same_time and found.st_size == stat.size_bytes


def _failing(error: TrackingError) -> Callable[[], Moved]:
    def fail() -> Moved:
        raise error

    return fail
