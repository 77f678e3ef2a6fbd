import pytest

from tracking_server.collect.ages import parse_age, parse_share
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


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0%", 0.0), (" 12.5 % ", 0.125), ("100%", 1.0)])
def test_a_share_is_percent(text: str, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["", "10", "0.1", "-1%", "101%", "%", "ten%"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ConfigInvalid, match="is not a share"):
        parse_share(text)
