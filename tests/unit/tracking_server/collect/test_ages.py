import pytest

from tracking_server.collect.ages import parse_age
from tracking_server.errors import ConfigInvalid


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("30d", 2_592_000_000),
        ("1d12h", 129_600_000),
        ("90m", 5_400_000),
        ("0s", 0),
        ("1.5s", 1_500),
        ("1d2h3m4.5s", 93_784_500),
    ],
)
def test_an_age_is_days_hours_minutes_and_seconds(text: str, milliseconds: int) -> None:
    assert parse_age(text) == milliseconds


@pytest.mark.parametrize("text", ["", "30", "d", "1h1d", "-1d", "1w", "1d 2h", "1e3s"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="is not an age"):
        parse_age(text)
