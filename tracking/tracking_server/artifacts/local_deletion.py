"""Deleting a folder of a local store with all that is in it, whatever that is, and without following a link."""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path

from tracking_server.artifacts.local_folders import MISSING, is_folder, open_folder
from tracking_server.artifacts.paths import join
from tracking_server.artifacts.store import Deleted, Leftover


@dataclass(kw_only=True, slots=True)
class _Tally:
    """What has been done so far."""

    files: int = 0
    size_bytes: int = 0
    leftovers: list[Leftover] = field(default_factory=list[Leftover])

    def leave(self, key: str, error: OSError) -> None:
        self.leftovers.append(Leftover(key=key, reason=error.strerror or type(error).__name__))


def delete_tree(root: Path, key: str) -> Deleted:
    """Bottom up, symbolic links and unfinished uploads included. The root itself stays."""
    tally = _Tally()
    parent_key, _, name = key.rpartition("/")
    try:
        parent = open_folder(root, parent_key)
    except OSError as error:
        if error.errno not in MISSING:
            tally.leave(key, error)
        return _result(tally)
    try:
        if not name or is_folder(name, parent):
            _delete_folder(root, key, tally)
        else:
            _delete_file(parent, name, key, tally)
    finally:
        os.close(parent)
    return _result(tally)


def _delete_folder(root: Path, key: str, tally: _Tally) -> None:
    """Two passes over a list instead of a recursion: the depth of the tree is somebody else's choice."""
    folders = [key]
    for folder in folders:  # grows while it is walked
        folders.extend(_delete_files(root, folder, tally))
    for folder in reversed(folders):
        if folder:
            _remove_folder(root, folder, tally)


def _delete_files(root: Path, folder_key: str, tally: _Tally) -> list[str]:
    """Deletes all that is not a folder, and returns the folders."""
    inner: list[str] = []
    try:
        folder = open_folder(root, folder_key)
    except OSError as error:
        if error.errno not in MISSING:
            tally.leave(folder_key, error)
        return inner
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                key = join(folder_key, entry.name)
                if entry.is_dir(follow_symlinks=False):
                    inner.append(key)
                else:
                    _delete_file(folder, entry.name, key, tally)
    except OSError as error:
        tally.leave(folder_key, error)
    finally:
        os.close(folder)
    return inner


def _delete_file(folder: int, name: str, key: str, tally: _Tally) -> None:
    try:
        size_bytes = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError as error:
        tally.leave(key, error)
        return
    tally.files += 1
    tally.size_bytes += size_bytes


def _remove_folder(root: Path, key: str, tally: _Tally) -> None:
    """A folder that is not empty has a leftover in it, which is reported, or a new file, which stays."""
    parent_key, _, name = key.rpartition("/")
    try:
        parent = open_folder(root, parent_key)
    except OSError:
        return
    try:
        os.rmdir(name, dir_fd=parent)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST}:
            tally.leave(key, error)
    finally:
        os.close(parent)


def _result(tally: _Tally) -> Deleted:
    return Deleted(files=tally.files, size_bytes=tally.size_bytes, leftovers=tuple(tally.leftovers))
