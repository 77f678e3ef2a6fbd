"""The tables of an archive, read and checked on the way: names, columns, the number of rows and their checksums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NamedTuple, Protocol

import msgspec

from tracking_server.database.archive.format import (
    ArchiveDamaged,
    Checksum,
    Column,
    Manifest,
    Row,
    TableContent,
    TableHeader,
    decode_rows,
)

_LINES_AT_ONCE: Final = 1000
_BYTES_AT_ONCE: Final = 1 << 20


class ArchiveSource(Protocol):
    """What has the lines of an archive: a file, or a database that is read as if it were one."""

    @property
    def manifest(self) -> Manifest: ...

    def lines(self) -> Iterator[bytes]:
        """Each with its newline. May be asked for again, one after the other."""
        ...


class Batch(NamedTuple):
    """Some rows, and the lines that they were read from."""

    lines: Sequence[bytes]
    rows: Sequence[Row]


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedTable:
    """`batches` is read once, to its end, before the next table. It raises ArchiveDamaged unless all are as written."""

    content: TableContent
    columns: Sequence[Column]
    batches: Iterator[Batch]

    @property
    def rows(self) -> Iterator[Row]:
        """In place of the batches."""
        return chain.from_iterable(batch.rows for batch in self.batches)

    @property
    def name(self) -> str:
        return self.content.name


def read_tables(source: ArchiveSource) -> Iterator[ArchivedTable]:
    lines = _Lines(source.lines())
    for content in source.manifest.tables:
        header = _header(lines.take(), content.name)
        yield ArchivedTable(content=content, columns=header.columns, batches=_batches(lines, content, header.columns))
    if lines.take() != b"":
        raise ArchiveDamaged("It holds more than its manifest lists.")


def verify(source: ArchiveSource) -> None:
    """Reads everything back. Raises ArchiveDamaged."""
    for table in read_tables(source):
        for _ in table.batches:
            pass


class _Lines:
    """Lines, of which one can be given back."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._returned: bytes | None = None

    def take(self) -> bytes:
        """Empty at the end."""
        if self._returned is not None:
            line, self._returned = self._returned, None
            return line
        return next(self._lines, b"")

    def give_back(self, line: bytes) -> None:
        self._returned = line


def _header(line: bytes, table: str) -> TableHeader:
    try:
        header = msgspec.json.decode(line, type=TableHeader)
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged(f"The table {table} does not begin where it should.") from error
    if header.table != table:
        raise ArchiveDamaged(f"The table {table} was expected, and {header.table} found.")
    return header


def _batches(lines: _Lines, content: TableContent, columns: Sequence[Column]) -> Iterator[Batch]:
    checksum = Checksum()
    while taken := _taken(lines):
        checksum.add(taken)
        try:
            rows = decode_rows(taken)
        except ValueError as error:  # msgspec's errors too
            raise ArchiveDamaged(f"A row of {content.name} cannot be read.") from error
        if (wrong := next((row for row in rows if len(row) != len(columns)), None)) is not None:
            raise ArchiveDamaged(f"A row of {content.name} has {len(wrong)} values for {len(columns)} columns.")
        yield Batch(taken, rows)
    if (found := checksum.content(content.name)) != content:
        raise ArchiveDamaged(
            f"The table {content.name} should have {content.rows} rows with the checksum {content.checksum[:12]},"
            f" and has {found.rows} with {found.checksum[:12]}."
        )


def _taken(lines: _Lines) -> Sequence[bytes]:
    """Of one table, some at a time, fewer when they are long."""
    taken: list[bytes] = []
    size = 0
    while len(taken) < _LINES_AT_ONCE and size < _BYTES_AT_ONCE:
        line = lines.take()
        if not line.startswith(b"["):
            lines.give_back(line)
            break
        taken.append(line)
        size += len(line)
    return taken
