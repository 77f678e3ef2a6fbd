"""Files from this machine to where a run keeps its artifacts."""

import hashlib
import os
import re
import stat as kinds
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from tracking_server.artifacts.paths import join, parse_key
from tracking_server.artifacts.store import ArtifactNotFound, Stat, StoreUnavailable, WrongKind
from tracking_server.transfer.attempts import attempted
from tracking_server.transfer.files import CHUNK_BYTES, Advance, Files, Passing, Spot
from tracking_server.transfer.jobs import Job, Moved

_MD5: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Uploading:
    """`resumes` leaves alone what the store has with the same content, as far as it can be known."""

    resumes: bool
    planned: Advance
    advance: Advance

    def file(self, spot: Spot, file: Path) -> Iterator[Job]:
        yield self._job(spot, file, file.name)

    def folder(self, spot: Spot, folder: Path) -> Iterator[Job]:
        """All files below it, under their names there; links to folders are not followed."""
        for here, folders, names in os.walk(folder, onerror=_refuse):
            folders.sort()
            for name in sorted(names):
                file = Path(here, name)
                yield self._job(spot, file, file.relative_to(folder).as_posix())

    def _job(self, spot: Spot, file: Path, path: str) -> Job:
        with suppress(OSError):
            self.planned(file.stat().st_size)
        return Job(path, lambda: self._put(spot.files, parse_key(join(spot.key, path)), file))

    def _put(self, files: Files, key: str, file: Path) -> Moved:
        return attempted(lambda: self._attempt(files, key, file))

    def _attempt(self, files: Files, key: str, file: Path) -> Moved:
        with file.open("rb") as content:
            found = os.fstat(content.fileno())
            if not kinds.S_ISREG(found.st_mode):
                raise WrongKind(f"{str(file)!r} is no file.")
            if self.resumes and _is_stored(files, key, content, found):
                self.advance(found.st_size)
                return Moved(found.st_size, is_skipped=True)
            with Passing(advance=self.advance) as passing:
                files.put(key, found.st_size, _chunks(content, found.st_size, passing))
        return Moved(found.st_size)


def _chunks(content: BufferedReader, size_bytes: int, passing: Passing) -> Iterator[bytes]:
    """As many bytes as were promised, or an error: a file that grows or shrinks meanwhile is not stored half."""
    while passing.count < size_bytes and (chunk := content.read(min(CHUNK_BYTES, size_bytes - passing.count))):
        passing.passed(len(chunk))
        yield chunk
    if passing.count < size_bytes or content.read(1):
        raise StoreUnavailable(f"{content.name!r} changes while it is read.")


def _is_stored(files: Files, key: str, content: BufferedReader, found: os.stat_result) -> bool:
    """The same size, and the same MD5 where the store's ETag is one; else stored after the file was last changed."""
    try:
        stored: Stat = attempted(lambda: files.stat(key))
    except (ArtifactNotFound, WrongKind):
        return False
    if stored.size_bytes != found.st_size:
        return False
    if not _MD5.fullmatch(stored.etag):
        return stored.modified_seconds > found.st_mtime
    digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    content.seek(0)
    return digest == stored.etag


def _refuse(error: OSError) -> None:
    raise error
