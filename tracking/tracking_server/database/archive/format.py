"""The format of an archive: what its bytes mean. Pure.

An archive is a file of zstandard, which `zstd -dc` shows as lines of JSON:

    {"table":"runs","columns":[["run_uuid","text"],["start_time","integer"], ...]}
    ["0a1b...",1700000000000, ...]

Each table is one line that names its columns, then one line for each row. Values are JSON's own, `{"base64": ...}` for
bytes and `{"float": ...}` for what JSON cannot say; they depend on no engine. A first frame, which decompressors skip,
tells what the file is; a last one holds the manifest, so that it is read without reading the rows.

Nothing here changes for the files that exist: another layout gets another `FORMAT`.
"""

import base64
import hashlib
import math
import struct
from collections.abc import Mapping, Sequence
from datetime import date
from types import NoneType
from typing import Any, Final, Literal, TypeAlias, cast

import msgspec

FORMAT: Final = 1

FRAME_CHARACTERS: Final = 1 << 20
"""How much text is compressed at once. A frame ends with the row that fills it."""

Kind: TypeAlias = Literal["integer", "float", "text", "boolean", "binary", "json"]
"""What a column is meant to hold. JSON travels as its text."""

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = Sequence[Value]


class ArchiveDamaged(Exception):
    """The file is not an archive, or not a whole one. `message` says where and how."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Column(msgspec.Struct, frozen=True, array_like=True):
    name: str
    kind: Kind


class TableHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    table: str
    columns: tuple[Column, ...]


class TableContent(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    rows: int
    checksum: str
    """Of the rows in any order, see `Checksum`."""


class NativeSchema(msgspec.Struct, frozen=True, kw_only=True):
    """Statements of the engine that was backed up, which make its schema again: before the rows, and after them."""

    before_rows: tuple[str, ...] = ()
    after_rows: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    tool: str
    created_at: str
    """RFC 3339, UTC: when the snapshot was taken."""
    dialect: str
    database: str | None = None
    """The id of the database, when it has one. Archives of the first releases have none."""
    mlflow: str | None
    trackplane: str | None
    """The revisions of the two lineages."""
    tables: tuple[TableContent, ...]
    """In the order of the file."""
    left_out: tuple[str, ...] = ()
    """Tables beside those of MLflow and ours, which are not in the archive."""
    native_schema: NativeSchema

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


class Checksum:
    """The sum of the digests of the rows: the same for the same rows in any order, as no engine promises one."""

    def __init__(self) -> None:
        self._sum = 0
        self.rows = 0

    def add(self, lines: Sequence[bytes]) -> None:
        digest = hashlib.blake2b
        self._sum += sum(int.from_bytes(digest(line, digest_size=32).digest(), "big") for line in lines)
        self.rows += len(lines)

    def content(self, table: str) -> TableContent:
        return TableContent(name=table, rows=self.rows, checksum=f"{self._sum % 2**256:064x}")


# Lines


def encode_header(table: str, columns: Sequence[Column]) -> bytes:
    return msgspec.json.encode(TableHeader(table=table, columns=tuple(columns))) + b"\n"


def encode_rows(rows: Sequence[Sequence[object]], kinds: Sequence[Kind]) -> Sequence[bytes]:
    """A line for each. Values are looked at by columns, most of which need nothing done to them."""
    columns = [_plain_column(column, kind) for column, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
    return _ENCODER.encode_lines(zip(*columns, strict=True)).splitlines(keepends=True)


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(list[Any])
_TEXTS: Final = frozenset({str, NoneType})
_PLAIN: Final = frozenset({str, int, NoneType})
_NUMBERS: Final = frozenset({float, int, NoneType})
_TRUTHS: Final = frozenset({bool, int, NoneType})
_TRUTH: Final[Mapping[object, bool | None]] = {0: False, 1: True, None: None}


def _plain_column(column: Sequence[object], kind: Kind) -> Sequence[object]:
    types = set(map(type, column))
    if kind == "boolean" and types <= _TRUTHS and set(column) <= _TRUTH.keys():
        return list(map(_TRUTH.get, column))
    if types <= _TEXTS or (kind not in {"boolean", "json"} and types <= _PLAIN):
        return column
    if kind == "float" and types <= _NUMBERS and all(map(math.isfinite, filter(None, cast("Sequence[float]", column)))):
        return column
    plain = _plain_json if kind == "json" else _plain
    return [value if value is None or type(value) is str else plain(value, kind) for value in column]


def _plain_json(value: object, kind: Kind) -> object:
    """SQLite keeps JSON that is a number as a number."""
    return repr(value) if isinstance(value, int | float) and math.isfinite(value) else _plain(value, kind)


def _plain(value: object, kind: Kind) -> object:
    """SQLite says 0 and 1 where others say false and true, and may hold any type in any column."""
    match value:
        case bool() | int() if kind == "boolean" and value in {0, 1}:
            return bool(value)
        case bool() | int():
            return int(value)
        case float() if math.isfinite(value):
            return value
        case float():
            return {"float": repr(value)}
        case date():
            return str(value)  # as engines write it, and SQLite keeps it
        case bytes():
            return {"base64": base64.b64encode(value).decode("ascii")}
        case _:
            raise TypeError(f"an archive cannot hold a {type(value).__name__}")


def decode_rows(lines: Sequence[bytes]) -> Sequence[Row]:
    """Raises ValueError, of which msgspec's errors are."""
    text = b"".join(lines)
    rows = _DECODER.decode_lines(text)
    if len(rows) != len(lines):
        raise ValueError("a line is not one row")
    return [[_restored(value) for value in row] for row in rows] if b'{"' in text else rows


def _restored(value: Any) -> Value:
    match value:
        case {"float": str(text)}:
            return float(text)
        case {"base64": str(text)}:
            return base64.b64decode(text, validate=True)
        case None | str() | int() | float():
            return value
        case _:
            raise ValueError("a value is none that a row can hold")


# Frames around the rows

_SKIPPED_FIRST: Final = 0x184D2A50
_SKIPPED_LAST: Final = 0x184D2A5F
_SKIPPED_HEAD: Final = struct.Struct("<II")
_END: Final = struct.Struct("<32sQ8s")
_END_MARK: Final = b"trkplane"

FIRST_FRAME: Final = _SKIPPED_HEAD.pack(_SKIPPED_FIRST, 20) + b"trackplane archive\r\n"
END_BYTES: Final = _END.size
MOST_MANIFEST_BYTES: Final = 64 << 20


def encode_last_frame(manifest: Manifest) -> bytes:
    text = msgspec.json.encode(manifest)
    end = _END.pack(hashlib.sha256(text).digest(), len(text), _END_MARK)
    return _SKIPPED_HEAD.pack(_SKIPPED_LAST, len(text) + len(end)) + text + end


def manifest_bytes(end: bytes) -> int:
    """How long the manifest is that stands before these last bytes of a file."""
    _, length, mark = _unpacked(end)
    if mark != _END_MARK or length > MOST_MANIFEST_BYTES:
        raise ArchiveDamaged("It does not end as an archive does: it was cut off, or is something else.")
    return length


def decode_last_frame(frame: bytes) -> Manifest:
    """The manifest in the last frame, which is given whole. Raises ArchiveDamaged."""
    text, end = frame[_SKIPPED_HEAD.size : -END_BYTES], frame[-END_BYTES:]
    digest, length, _ = _unpacked(end)
    if hashlib.sha256(text).digest() != digest or frame[: _SKIPPED_HEAD.size] != _SKIPPED_HEAD.pack(
        _SKIPPED_LAST, length + END_BYTES
    ):
        raise ArchiveDamaged("Its manifest is damaged.")
    try:
        version: Mapping[str, object] = msgspec.json.decode(text, type=dict[str, Any])
        if version.get("format") != FORMAT:
            raise ArchiveDamaged(f"It has the format {version.get('format')}; this release reads {FORMAT}.")
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ArchiveDamaged("Its manifest cannot be read.") from error


LAST_FRAME_HEAD_BYTES: Final = _SKIPPED_HEAD.size


def _unpacked(end: bytes) -> tuple[bytes, int, bytes]:
    if len(end) != END_BYTES:
        raise ArchiveDamaged("It is too short to be an archive.")
    digest, length, mark = _END.unpack(end)
    return bytes(digest), int(length), bytes(mark)
