"""The tables of an archive, read and checked on the way: names, columns, the number of rows and their checksums."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
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

    def blocks(self) -> Iterator[Sequence[bytes]]:
        """Some lines at a time, each with its newline. May be asked for again, one after the other."""
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
    lines = _Lines(source.blocks())
    for content in source.manifest.tables:
        header = _header(lines.header(), content.name)
        yield ArchivedTable(content=content, columns=header.columns, batches=_batches(lines, content, header.columns))
    if lines.header() != b"":
        raise ArchiveDamaged("It holds more than its manifest lists.")


def is_row(line: bytes) -> bool:
    """Else it begins a table."""
    return line.startswith(b"[")


def verify(source: ArchiveSource) -> None:
    """Reads everything back. Raises ArchiveDamaged."""
    for table in read_tables(source):
        for _ in table.batches:
            pass


class _Lines:
    """Of one table after the other."""

    def __init__(self, blocks: Iterator[Sequence[bytes]]) -> None:
        self._blocks = blocks
        self._block: Sequence[bytes] = ()
        self._place = 0

    def header(self) -> bytes:
        """The next line, whatever it is. Empty at the end."""
        if not self._is_there():
            return b""
        self._place += 1
        return self._block[self._place - 1]

    def rows(self) -> Sequence[bytes]:
        """Those that come next, some at a time, fewer when they are long. Empty when none does."""
        if not self._is_there():
            return ()
        first, size = self._place, 0
        for line in islice(self._block, first, first + _LINES_AT_ONCE):
            if size >= _BYTES_AT_ONCE or not is_row(line):
                break
            size += len(line)
            self._place += 1
        return self._block[first : self._place]

    def _is_there(self) -> bool:
        while self._place == len(self._block):
            block = next(self._blocks, None)
            if block is None:
                return False
            self._block, self._place = block, 0
        return True


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
    while taken := lines.rows():
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
