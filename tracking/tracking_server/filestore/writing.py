"""A folder that is being written, in the manner of MLflow. What cannot be a name of a file is a fault, and left out."""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import yaml
from sqlalchemy import Connection, Row, Select

from tracking_server.filestore.addresses import Rewrite
from tracking_server.filestore.folder import HAS_LIBYAML, Faults

_DUMPER: Final[Any] = yaml.CSafeDumper if HAS_LIBYAML else yaml.SafeDumper
NAME_BYTES: Final = 255


class NewFolder:
    def __init__(self, root: Path, faults: Faults, rewrites: Sequence[Rewrite] = ()) -> None:
        self.root: Final = root
        self.faults: Final = faults
        self.rewrites: Final = rewrites
        self.written: Final[dict[str, int]] = {}

    def count(self, noun: str) -> None:
        self.written[noun] = self.written.get(noun, 0) + 1

    def make(self, path: str) -> None:
        (self.root / path).mkdir(parents=True, exist_ok=True)

    def yaml(self, path: str, meta: Mapping[str, object], noun: str | None) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w", encoding="utf-8") as handle:
            yaml.dump(dict(meta), handle, Dumper=_DUMPER, allow_unicode=True, default_flow_style=False)
        if noun is not None:
            self.count(noun)

    def text(self, path: str, key: str, value: str, noun: str) -> None:
        """A file whose whole content is the value."""
        with self.file(path, key) as handle:
            if handle is not None:
                handle.write(value)
                self.count(noun)

    @contextmanager
    def file(self, path: str, key: str) -> Generator[IO[str] | None]:
        """A new file for a key, whose slashes are folders. None, and a fault, when there can be none."""
        if not is_path(key):
            self.faults.add(f"{path}/{key}", "its key cannot be the name of a file: left out")
            yield None
            return
        file = self.root / path / key
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            self.faults.add(f"{path}/{key}", "another key is a folder or a file of that name: left out")
            yield None
            return
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
            yield opened


def is_path(key: str) -> bool:
    return all(is_name(part) for part in key.split("/"))


def is_name(text: str) -> bool:
    if text in {"", ".", ".."} or "/" in text or "\0" in text:
        return False
    return len(text.encode(errors="replace")) <= NAME_BYTES


def pages(connection: Connection, statement: Select[Any], key: str) -> Iterator[Sequence[Row[Any]]]:
    """Of a statement that selects what comes after `after`, in the order of the text `key`."""
    after = ""
    while page := connection.execute(statement, {"after": after}).all():
        yield page
        after = getattr(page[-1], key)
