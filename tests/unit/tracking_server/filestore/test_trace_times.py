"""Times of traces, which MLflow writes as its messages have them in JSON."""

import pytest

from tracking_server.filestore.folder import Broken
from tracking_server.filestore.trace_reading import milliseconds_of, written_time


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (1_700_000_000_500, "2023-11-14T22:13:20.500Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_time_is_read_as_it_was_written(milliseconds: int, text: str) -> None:
    assert written_time(milliseconds) == text
    assert milliseconds_of({"t": text}, "t") == milliseconds


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        pytest.param("1970-01-01T00:00:00.0019Z", 1, id="below a millisecond"),
        pytest.param("1970-01-01T00:00:00.001999999Z", 1, id="nanoseconds"),
        pytest.param("1970-01-01T01:00:00+01:00", 0, id="of another zone"),
        pytest.param(5, 5, id="a number"),
    ],
)
def test_other_forms_of_a_time(value: object, milliseconds: int) -> None:
    assert milliseconds_of({"t": value}, "t") == milliseconds


@pytest.mark.parametrize("value", [None, "", "yesterday", [], 2**70])
def test_what_is_no_time_is_broken(value: object) -> None:
    with pytest.raises(Broken):
        milliseconds_of({"t": value}, "t")


def test_a_time_of_no_year_is_broken() -> None:
    with pytest.raises(Broken, match="in no year"):
        written_time(2**62)
