"""The tables of an archive, read and checked on the way: names, columns, the number of rows and their checksums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from tracking_server.database.archive.format import (
    ArchiveDamaged,
    Checksum,
    Column,
    Manifest,
    Row,
    TableContent,
    TableHeader,
    decode_row,
)


class ArchiveSource(Protocol):
    """What has the lines of an archive: a file, or a database that is read as if it were one."""

    @property
    def manifest(self) -> Manifest: ...

    def lines(self) -> Iterator[bytes]:
        """Each with its newline. May be asked for again, one after the other."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedTable:
    """`rows` is read once, to its end, before the next table. It raises ArchiveDamaged unless all are as written."""

    content: TableContent
    columns: Sequence[Column]
    rows: Iterator[Row]

    @property
    def name(self) -> str:
        return self.content.name


def read_tables(source: ArchiveSource) -> Iterator[ArchivedTable]:
    lines = _Lines(source.lines())
    for content in source.manifest.tables:
        header = _header(lines.take(), content.name)
        yield ArchivedTable(content=content, columns=header.columns, rows=_rows(lines, content, len(header.columns)))
    if lines.take() != b"":
        raise ArchiveDamaged("It holds more than its manifest lists.")


def verify(source: ArchiveSource) -> None:
    """Reads everything back. Raises ArchiveDamaged."""
    for table in read_tables(source):
        for _ in table.rows:
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


def _rows(lines: _Lines, content: TableContent, width: int) -> Iterator[Row]:
    checksum = Checksum()
    while (line := lines.take()).startswith(b"["):
        checksum.add(line)
        try:
            row = decode_row(line)
        except ValueError as error:  # msgspec's errors too
            raise ArchiveDamaged(f"A row of {content.name} cannot be read.") from error
        if len(row) != width:
            raise ArchiveDamaged(f"A row of {content.name} has {len(row)} values for {width} columns.")
        yield row
    lines.give_back(line)
    if (found := checksum.content(content.name)) != content:
        raise ArchiveDamaged(
            f"The table {content.name} should have {content.rows} rows with the checksum {content.checksum[:12]},"
            f" and has {found.rows} with {found.checksum[:12]}."
        )
