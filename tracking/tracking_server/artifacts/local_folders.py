"""Folders of a local store, walked from its root by descriptors that refuse symbolic links."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
"""A symbolic link is treated as if nothing were there: ELOOP, and ENOTDIR where a folder is opened."""

_MODE = 0o770
_OPEN_ROOT: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN_INNER: Final = _OPEN_ROOT | os.O_NOFOLLOW


def open_folder(root: Path, key: str) -> int:
    """The descriptor of a folder. Raises OSError with a number of MISSING when it is not there."""
    descriptor = os.open(root, _OPEN_ROOT)
    for segment in key.split("/") if key else ():
        descriptor = _step_into(descriptor, segment)
    return descriptor


def make_folder(root: Path, key: str) -> int:
    """The descriptor of a folder, which is made when it is not there yet, root and all."""
    try:
        return open_folder(root, key)
    except FileNotFoundError:
        pass
    root.mkdir(mode=_MODE, parents=True, exist_ok=True)
    descriptor = os.open(root, _OPEN_ROOT)
    for segment in key.split("/") if key else ():
        descriptor = _step_into(_with_folder(descriptor, segment), segment)
    return descriptor


def is_folder(name: str, folder: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _with_folder(descriptor: int, name: str) -> int:
    try:
        os.mkdir(name, _MODE, dir_fd=descriptor)
        os.fsync(descriptor)
    except FileExistsError:
        pass
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _step_into(descriptor: int, segment: str) -> int:
    """The descriptor of a folder in a folder, in exchange for that of the outer one."""
    try:
        return os.open(segment, _OPEN_INNER, dir_fd=descriptor)
    finally:
        os.close(descriptor)
