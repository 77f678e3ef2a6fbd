"""The bytes of an archive: every value comes back, every damage shows."""

import json
import math
import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.database.archive.format import (
    END_BYTES,
    FORMAT,
    ArchiveDamaged,
    Checksum,
    Kind,
    Manifest,
    NativeSchema,
    TableContent,
    Value,
    decode_last_frame,
    decode_rows,
    encode_last_frame,
    encode_rows,
    manifest_bytes,
)

TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[tuple[Value, Kind]] = st.one_of(
    st.tuples(st.none(), st.sampled_from(["integer", "text"])),
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.just("integer")),
    st.tuples(st.floats(), st.just("float")),
    st.tuples(TEXTS, st.sampled_from(["text", "json", "integer"])),
    st.tuples(st.binary(), st.just("binary")),
    st.tuples(st.booleans(), st.just("boolean")),
)

MANIFEST = Manifest(
    format=FORMAT,
    tool="a test",
    created_at="2026-11-25T12:30:00+00:00",
    dialect="sqlite",
    mlflow="dc11669786a5",
    trackplane=None,
    tables=(TableContent(name="runs", rows=2, checksum="00"), TableContent(name="tags", rows=3, checksum="01")),
    native_schema=NativeSchema(before_rows=("CREATE TABLE runs (a)",)),
)


@given(st.lists(VALUES, min_size=1))
def test_a_row_comes_back_as_it_was(row: list[tuple[Value, Kind]]) -> None:
    (line,) = encode_rows([[value for value, _ in row]], [kind for _, kind in row])
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    (found,) = decode_rows([line])
    assert [repr(value) for value in found] == [repr(value) for value, _ in row]


ANY = st.one_of(
    st.none(), st.integers(-1, 2), st.integers(-(2**63), 2**63 - 1), st.floats(), TEXTS, st.binary(), st.booleans()
)


@given(st.sampled_from(["integer", "float", "text", "boolean", "binary", "json"]), st.lists(ANY, min_size=1))
def test_a_value_is_written_the_same_whatever_stands_above_it(kind: Kind, values: list[Value]) -> None:
    """SQLite holds any type in any column, and rows are written many at a time."""
    lines = encode_rows([[value] for value in values], [kind])
    assert lines == [encode_rows([[value]], [kind])[0] for value in values]
    assert decode_rows(lines) == [decode_rows([line])[0] for line in lines] or any(map(is_nan, values))


def is_nan(value: Value) -> bool:
    return isinstance(value, float) and math.isnan(value)


def test_a_row_is_a_line_of_json_that_depends_on_no_engine() -> None:
    kinds: list[Kind] = ["boolean", "integer", "float", "binary", "text", "text"]
    (of_sqlite,) = encode_rows([[1, 5, math.inf, b"\x00\xff", 'a{"', None]], kinds)
    (of_postgresql,) = encode_rows([[True, 5, math.inf, b"\x00\xff", 'a{"', None]], kinds)
    assert of_sqlite == of_postgresql
    assert json.loads(of_sqlite) == [True, 5, {"float": "inf"}, {"base64": "AP8="}, 'a{"', None]


def test_a_value_of_no_column_is_our_mistake() -> None:
    with pytest.raises(TypeError, match="complex"):
        encode_rows([[1j]], ["float"])


@given(st.lists(st.binary()), st.randoms())
def test_a_checksum_is_that_of_the_rows_in_any_order(lines: list[bytes], randomness: random.Random) -> None:
    checksum, of_shuffled, of_more = Checksum(), Checksum(), Checksum()
    shuffled = list(lines)
    randomness.shuffle(shuffled)
    checksum.add(lines)
    for line in shuffled:
        of_shuffled.add([line])
    of_more.add([*shuffled, b"another"])
    assert checksum.content("a") == of_shuffled.content("a")
    assert checksum.content("a") != of_more.content("a")


def test_a_manifest_comes_back_as_it_was() -> None:
    frame = encode_last_frame(MANIFEST)
    assert decode_last_frame(frame) == MANIFEST
    assert manifest_bytes(frame[-END_BYTES:]) == len(frame) - END_BYTES - 8
    assert MANIFEST.rows == 5


@given(place=st.integers(0, len(encode_last_frame(MANIFEST)) - 1), flipped=st.integers(1, 255))
def test_every_changed_byte_of_a_manifest_shows(place: int, flipped: int) -> None:
    frame = bytearray(encode_last_frame(MANIFEST))
    frame[place] ^= flipped
    with pytest.raises(ArchiveDamaged):
        read_back(bytes(frame))


def read_back(frame: bytes) -> Manifest:
    if manifest_bytes(frame[-END_BYTES:]) != len(frame) - END_BYTES - 8:
        raise ArchiveDamaged("the manifest would be looked for at another place")
    return decode_last_frame(frame)


def test_an_archive_of_another_format_is_refused_by_its_number() -> None:
    later = msgspec.structs.replace(MANIFEST, format=9)
    with pytest.raises(ArchiveDamaged, match="format 9; this release reads 1"):
        decode_last_frame(encode_last_frame(later))
