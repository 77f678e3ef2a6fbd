"""Numbers that an engine keeps in another way than they were written."""

import json
import math
import sqlite3
import struct
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking_server.database.archive.json_numbers import as_sqlite_keeps, bound_in_sqlite, loses_in_sqlite
from tracking_server.database.archive.singles import as_single, shortest

SINGLES = st.floats(width=32, allow_nan=False, allow_infinity=False)
NUMBERS = st.from_regex(r"\A[ \n]?-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?[ \n]?\Z")
TEXTS = st.one_of(NUMBERS, st.integers().map(str), st.floats(allow_nan=False).map(json.dumps))


@given(SINGLES)
def test_the_shortest_spelling_is_of_the_same_32_bits(single: float) -> None:
    assert struct.pack("<f", shortest(single)) == struct.pack("<f", single)
    assert abs(shortest(single)) <= 3.4028234663852886e38


@pytest.mark.parametrize("spelt", [0.1, 0.3333333, 1234567.0, 16777216.0, 1e-45, -2.5, 0.0])
def test_what_was_written_with_few_digits_comes_back_so(spelt: float) -> None:
    assert shortest(as_single(spelt)) == spelt


def test_32_bits_have_an_end() -> None:
    with pytest.raises(OverflowError):
        as_single(1e39)


def kept(text: str) -> object:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (j JSON)")
        connection.execute("INSERT INTO t VALUES (?)", (bound_in_sqlite(text),))
        return connection.execute("SELECT j FROM t").fetchone()[0]


@given(TEXTS)
def test_json_that_is_a_number_is_what_sqlite_makes_of_it(text: str) -> None:
    found = kept(text)
    spelt = as_sqlite_keeps(text)
    if not math.isinf(json.loads(text)):
        assert spelt == (found if isinstance(found, str) else repr(found))
    if not loses_in_sqlite(text):
        assert json.loads(spelt) == json.loads(text)


@pytest.mark.parametrize("text", ["null", "true", '"7"', "[1.0]", '{"a": 1.0}', '" 7 "', ""])
def test_other_json_stays_as_it_is_spelt(text: str) -> None:
    assert kept(text) == text == as_sqlite_keeps(text)
    assert not loses_in_sqlite(text)


@pytest.mark.parametrize("text", ["1e400", "0.12345678901234567890", "9007199254740993.0", "123456789012345678901"])
def test_what_would_be_another_number_is_known(text: str) -> None:
    assert loses_in_sqlite(text)
    assert not math.isnan(float(as_sqlite_keeps(text)))
