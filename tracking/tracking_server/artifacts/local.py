"""An artifact store in a folder of a file system.

Every path is walked from the root, segment by segment, by file descriptors that refuse symbolic links: what is found
below the root is below the root, whatever somebody else links or renames meanwhile. A file in the making is a sibling
with a reserved name, so nothing is written to another file system and the last step is one rename.
"""

import errno
import os
import stat as stat_module
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from types import TracebackType
from typing import Final, Self

from tracking_server.artifacts.local_deletion import delete_tree
from tracking_server.artifacts.local_folders import MISSING, is_folder, make_folder, open_folder
from tracking_server.artifacts.paths import UPLOADING_PREFIX, name_of
from tracking_server.artifacts.ranges import span
from tracking_server.artifacts.store import (
    ArtifactNotFound,
    Deleted,
    Entry,
    Listing,
    Stat,
    StoreUnavailable,
    Wanted,
    WrongKind,
)
from tracking_server.turns import Turns

_FILE_MODE = 0o660
_PATIENCE_SECONDS: Final = 0.1
_ON_ITS_WAY_BYTES: Final = 8 * 1024 * 1024
_OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class LocalReader:
    def __init__(self, descriptor: int, stat: Stat, start: int, stop: int) -> None:
        self.stat = stat
        self.start = start
        self.stop = stop
        self._descriptor: int | None = descriptor
        self._position = start

    def read(self, limit_bytes: int) -> bytes:
        if self._descriptor is None or self._position >= self.stop:
            return b""
        with _translated("read", ""):
            chunk = os.pread(self._descriptor, min(limit_bytes, self.stop - self._position), self._position)
        if not chunk:
            raise StoreUnavailable("The file became shorter while it was read.")
        self._position += len(chunk)
        return chunk

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class LocalWriter:
    def __init__(self, key: str, folder: int) -> None:
        """Takes over `folder`, the descriptor of the folder that the file will be in."""
        self._key = key
        self._folder: int | None = folder
        self._sibling = f"{UPLOADING_PREFIX}{token_hex(8)}"
        self._file = os.open(self._sibling, _CREATE_FILE, _FILE_MODE, dir_fd=folder)
        self._written_bytes = 0
        self._sent_bytes = 0

    def write(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        with _translated("write", self._key):
            while view:
                view = view[os.write(self._file, view) :]
        self._written_bytes += len(chunk)
        new_bytes = self._written_bytes - self._sent_bytes
        if new_bytes >= _ON_ITS_WAY_BYTES:
            # the kernel begins to write to disk now, and not all at once when the end of the file waits for it
            os.posix_fadvise(self._file, self._sent_bytes, new_bytes, os.POSIX_FADV_DONTNEED)
            self._sent_bytes = self._written_bytes

    def commit(self) -> Stat:
        if self._folder is None:
            raise StoreUnavailable(f"The upload of {self._key!r} was given up.")
        with _translated("write", self._key):
            os.fsync(self._file)
            stat = _stat_of(os.fstat(self._file))
            os.rename(self._sibling, name_of(self._key), src_dir_fd=self._folder, dst_dir_fd=self._folder)
            os.fsync(self._folder)
        self._close()
        return stat

    def abort(self) -> None:
        if self._folder is not None:
            with suppress(FileNotFoundError):
                os.unlink(self._sibling, dir_fd=self._folder)
            self._close()

    def _close(self) -> None:
        folder, self._folder = self._folder, None
        if folder is not None:
            os.close(self._file)
            os.close(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class LocalStore:
    """The root is made when the first file comes; a symbolic link to it, or above it, is the owner's affair."""

    writer_bytes = 0

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listing = Turns(_PATIENCE_SECONDS)

    def open(self, key: str, wanted: Wanted = None) -> LocalReader:
        descriptor, found = self._open_file(key)
        try:
            stat = _stat_of(found)
            start, stop = span(wanted, stat.size_bytes)
        except BaseException:
            os.close(descriptor)
            raise
        return LocalReader(descriptor, stat, start, stop)

    def create(self, key: str) -> LocalWriter:
        folder_key, _, name = key.rpartition("/")
        with _translated("write", key):
            folder = make_folder(self._root, folder_key)
            try:
                if not is_folder(name, folder):
                    return LocalWriter(key, folder)
            except BaseException:
                os.close(folder)
                raise
        os.close(folder)
        raise WrongKind(f"{key!r} is a folder.")

    def stat(self, key: str) -> Stat:
        descriptor, found = self._open_file(key)
        os.close(descriptor)
        return _stat_of(found)

    def list(self, folder: str, *, after: str = "", limit: int = 1000) -> Listing:
        with _translated("list", folder):
            try:
                descriptor = open_folder(self._root, folder)
            except OSError as error:
                if error.errno in MISSING:
                    return Listing(entries=())
                raise
            try:
                with self._listing.turn():
                    found = sorted(_scan(descriptor, after), key=_name)
                    page = tuple(entry for each in found[:limit] if (entry := _described(each)) is not None)
            finally:
                os.close(descriptor)
        return Listing(entries=page, next_after=found[limit - 1].name if len(found) > limit else None)

    def delete(self, key: str) -> None:
        folder_key, _, name = key.rpartition("/")
        with _translated("delete", key):
            try:
                folder = open_folder(self._root, folder_key)
            except OSError as error:
                if error.errno in MISSING:
                    return
                raise
            try:
                os.unlink(name, dir_fd=folder)
            except FileNotFoundError:
                return
            except (IsADirectoryError, PermissionError):
                if is_folder(name, folder):
                    raise WrongKind(f"{key!r} is a folder.") from None
                raise
            finally:
                os.close(folder)

    def delete_prefix(self, key: str) -> Deleted:
        return delete_tree(self._root, key)

    def _open_file(self, key: str) -> tuple[int, os.stat_result]:
        folder_key, _, name = key.rpartition("/")
        with _translated("read", key):
            try:
                folder = open_folder(self._root, folder_key)
                try:
                    descriptor = os.open(name or ".", _OPEN_FILE, dir_fd=folder)
                finally:
                    os.close(folder)
            except OSError as error:
                if error.errno in MISSING:
                    raise ArtifactNotFound(f"No such artifact: {key!r}") from None
                raise
        found = os.fstat(descriptor)
        if stat_module.S_ISREG(found.st_mode):
            return descriptor, found
        os.close(descriptor)
        if stat_module.S_ISDIR(found.st_mode):
            raise WrongKind(f"{key!r} is a folder.")
        raise ArtifactNotFound(f"No such artifact: {key!r}")


def _scan(descriptor: int, after: str) -> "Sequence[os.DirEntry[str]]":
    """Files and folders: no symbolic links, no devices, no unfinished uploads, no names that are not text."""
    with os.scandir(descriptor) as entries:
        return [
            entry
            for entry in entries
            if (entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False))
            and (name := entry.name) > after
            and not name.startswith(UPLOADING_PREFIX)
            and (name.isascii() or _is_text(name))
        ]


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _described(entry: "os.DirEntry[str]") -> Entry | None:
    """None when the file went away since its name was read."""
    if entry.is_dir(follow_symlinks=False):
        return Entry(name=entry.name, is_folder=True)
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Entry(name=entry.name, is_folder=False, size_bytes=found.st_size, modified_seconds=found.st_mtime)


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _stat_of(found: os.stat_result) -> Stat:
    return Stat(
        size_bytes=found.st_size,
        modified_seconds=found.st_mtime,
        etag=f"{found.st_mtime_ns:x}-{found.st_size:x}-{found.st_ino:x}",
    )


@contextmanager
def _translated(action: str, key: str) -> Generator[None]:
    """The closed family here is OSError: by its number, it says whose fault it is."""
    try:
        yield
    except OSError as error:
        raise _translate(error, action, key) from error


def _translate(error: OSError, action: str, key: str) -> WrongKind | StoreUnavailable:
    if error.errno in {errno.ENOTDIR, errno.ELOOP, errno.EEXIST, errno.EISDIR, errno.ENOTEMPTY}:
        return WrongKind(f"Cannot {action} {key!r}: a part of the path is a file, or the last part is a folder.")
    return StoreUnavailable(f"Cannot {action} {key!r}: {error.strerror or type(error).__name__}.")
