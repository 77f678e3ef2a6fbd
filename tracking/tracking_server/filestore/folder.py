"""A folder that somebody else wrote, read with suspicion: no link is followed, nothing is read whole that may be large.

What cannot be read is named in `faults` and passed over; the rest counts.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import yaml

from tracking_server.errors import ConfigInvalid

LIMIT_BYTES: Final = 32 * 1024 * 1024
"""Of a value or of a `meta.yaml`; the largest that MLflow writes is the profile of a dataset, half of it."""

LINE_BYTES: Final = 4096
KEPT_FAULTS: Final = 1000

HAS_LIBYAML: Final[bool] = bool(yaml.__with_libyaml__)
SLOW_YAML: Final = (
    "PyYAML was built without LibYAML, and reads each meta.yaml about ten times as slowly; its wheels have LibYAML."
)
_LOADER: Final[Any] = yaml.CSafeLoader if HAS_LIBYAML else yaml.SafeLoader


class Broken(Exception):
    """Why a file says nothing that can be used. It becomes a fault."""


@dataclass(kw_only=True, slots=True)
class Faults:
    """What was passed over: the path in the folder, and why. The first are kept, all are counted."""

    kept: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    total: int = 0

    def add(self, path: str, why: str) -> None:
        self.total += 1
        if len(self.kept) < KEPT_FAULTS:
            self.kept.append({"path": path.encode(errors="backslashreplace").decode(), "why": why})

    def mark(self) -> tuple[int, int]:
        return self.total, len(self.kept)

    def back_to(self, mark: tuple[int, int]) -> None:
        """What was read since then is read again."""
        self.total = mark[0]
        del self.kept[mark[1] :]


class Folder:
    """Paths are relative to the root, with `/` between names."""

    def __init__(self, root: Path, faults: Faults) -> None:
        self.root: Final = root
        self.faults: Final = faults

    def folders(self, path: str) -> list[str]:
        """Names of the folders in a folder, sorted; none when it is not there."""
        return [entry.name for entry in self._entries(path) if entry.is_dir(follow_symlinks=False)]

    def files(self, path: str) -> Iterator[tuple[str, str]]:
        """Each file under a folder, at any depth: its path, and its key, which is the path inside of the folder."""
        stack = [path]
        while stack:
            here = stack.pop()
            for entry in self._entries(here):
                inside = f"{here}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    stack.append(inside)
                elif entry.is_file(follow_symlinks=False):
                    yield inside, inside.removeprefix(f"{path}/")
                else:
                    self.faults.add(inside, "neither a file nor a folder")

    def texts(self, path: str) -> dict[str, str]:
        """The whole content of each file under a folder, by its key."""
        found: dict[str, str] = {}
        for inside, key in self.files(path):
            try:
                found[key] = self.text(inside)
            except Broken as broken:
                self.faults.add(inside, str(broken))
        return found

    def text(self, path: str) -> str:
        """Raises Broken. Line ends stay as they are."""
        with self._open(path) as file:
            content = file.read(LIMIT_BYTES + 1)
        if len(content) > LIMIT_BYTES:
            raise Broken(f"larger than {LIMIT_BYTES} bytes")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Broken("not text in UTF-8") from None

    def mapping(self, path: str) -> dict[str, object]:
        """A file of YAML. Raises Broken."""
        try:
            content: object = yaml.load(self.text(path), Loader=_LOADER)  # noqa: S506 - one of the two safe loaders
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise Broken(f"not YAML: {_first_line(error)}") from None
        if not isinstance(content, dict):
            raise Broken("half-written: it holds no mapping" if content is None else "it holds no mapping")
        return cast("dict[str, object]", content)

    def lines(self, path: str) -> Iterator[tuple[int, str, bool]]:
        """Number, text and whether it has its end, of each line that is not empty. A long or odd one is a fault."""
        with self._open(path) as file:
            number = 0
            while line := file.readline(LINE_BYTES):
                number += 1
                has_end = line.endswith(b"\n")
                if not has_end and len(line) == LINE_BYTES:
                    self._pass_over_line(file.readline)
                    self.faults.add(path, f"line {number} is longer than {LINE_BYTES} bytes")
                elif line.strip():
                    yield number, line.decode(errors="replace").strip(), has_end

    def modified_ns(self, path: str) -> int:
        """Zero when it is not there."""
        try:
            return (self.root / path).lstat().st_mtime_ns
        except (OSError, ValueError):
            return 0

    def _pass_over_line(self, read_line: Callable[[int], bytes]) -> None:
        while (rest := read_line(LINE_BYTES)) and not rest.endswith(b"\n"):
            pass

    def _entries(self, path: str) -> list["os.DirEntry[str]"]:
        try:
            with os.scandir(self.root / path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            self.faults.add(path, f"cannot be listed: {error.strerror}")
            return []
        return [entry for entry in entries if self._is_plain(path, entry)]

    def _is_plain(self, path: str, entry: "os.DirEntry[str]") -> bool:
        inside = f"{path}/{entry.name}" if path else entry.name
        if entry.is_symlink():
            self.faults.add(inside, "a symbolic link, which is not followed")
            return False
        try:
            entry.name.encode()
        except UnicodeEncodeError:
            self.faults.add(inside, "its name is not UTF-8")
            return False
        return True

    def _open(self, path: str) -> BinaryIO:
        """Never a link, and never something that would keep us waiting."""
        try:
            handle = os.open(self.root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise Broken("not there: half-written, or removed meanwhile") from None
        except OSError as error:
            raise Broken(f"cannot be opened: {error.strerror}") from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise Broken("not a file")
        return os.fdopen(handle, "rb")


def require_folder(path: Path) -> None:
    if not path.is_dir():
        what = "is a file" if path.exists() else "does not exist"
        raise ConfigInvalid(f"{path} {what}. A folder of MLflow's FileStore, such as ./mlruns, is wanted.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise ConfigInvalid(f"The folder {path} cannot be read by this process.")


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
