import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tracking_operator.resource.schedule import parse_schedule


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        pytest.param("0 4 * * *", "2026-03-01 03:59", "2026-03-01 04:00", id="today"),
        pytest.param("0 4 * * *", "2026-03-01 04:00", "2026-03-02 04:00", id="never the same minute"),
        pytest.param("@daily", "2026-12-31 12:00", "2027-01-01 00:00", id="over the year"),
        pytest.param("@hourly", "2026-03-01 12:34", "2026-03-01 13:00", id="hourly"),
        pytest.param("@weekly", "2026-03-02 12:00", "2026-03-08 00:00", id="on Sunday"),
        pytest.param("*/15 * * * *", "2026-03-01 12:34", "2026-03-01 12:45", id="steps"),
        pytest.param("5/20 * * * *", "2026-03-01 12:30", "2026-03-01 12:45", id="steps from a number"),
        pytest.param("0 9-17/4 * * *", "2026-03-01 14:00", "2026-03-01 17:00", id="steps in a range"),
        pytest.param("0 0 29 2 *", "2026-03-01 00:00", "2028-02-29 00:00", id="leap day"),
        pytest.param("0 0 1 jan,jul *", "2026-03-01 00:00", "2026-07-01 00:00", id="months by name"),
        pytest.param("0 0 * * mon-fri", "2026-03-06 00:00", "2026-03-09 00:00", id="days by name"),
        pytest.param("0 0 13 * fri", "2026-03-07 00:00", "2026-03-13 00:00", id="either kind of day: the 13th"),
        pytest.param("0 0 13 * sun", "2026-03-07 00:00", "2026-03-08 00:00", id="either kind of day: Sunday"),
        pytest.param("0 0 ? * SUN", "2026-03-07 00:00", "2026-03-08 00:00", id="a question mark"),
        pytest.param("0 0 30 2 *", "2026-03-01 00:00", None, id="never"),
    ],
)
def test_the_next_time_of_a_schedule(schedule: str, after: str, expected: str | None) -> None:
    found = parse_schedule(schedule).next_after(datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert found == (expected and datetime.fromisoformat(expected).replace(tzinfo=UTC))


def test_a_schedule_is_read_in_its_time_zone() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    found = parse_schedule("0 4 * * *").next_after(datetime(2026, 7, 1, 1, 30, tzinfo=UTC).astimezone(berlin))
    assert found is not None
    assert found.astimezone(UTC) == datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        pytest.param("0 4 * *", "must have five fields, not 4", id="too few"),
        pytest.param("60 * * * *", "'60' is not a minute from 0 to 59", id="minute"),
        pytest.param("0 24 * * *", "'24' is not a hour from 0 to 23", id="hour"),
        pytest.param("0 0 0 * *", "'0' is not a day of the month from 1 to 31", id="day"),
        pytest.param("0 0 * 13 *", "'13' is not a month from 1 to 12", id="month"),
        pytest.param("0 0 * * 7", "'7' is not a day of the week from 0 to 6", id="day of the week"),
        pytest.param("0 5-2 * * *", "'5-2' is not a hour from 0 to 23", id="backwards"),
        pytest.param("*/0 * * * *", "'*/0' is not a minute from 0 to 59", id="no step"),
        pytest.param("a * * * *", "'a' is not a minute", id="a word"),
        pytest.param("0 0 * foo *", "'foo' is not a month", id="no month"),
        pytest.param("1,,2 * * * *", "'' is not a minute", id="nothing"),
    ],
)
def test_a_wrong_schedule_says_what_is_wrong(schedule: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(message)}$"):
        parse_schedule(schedule)
