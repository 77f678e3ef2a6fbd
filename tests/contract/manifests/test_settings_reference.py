"""docs/reference/settings.md lists exactly the settings of the server, with their options and defaults."""

import re
from pathlib import Path

from tracking_server.settings import NOT_BUILT, SETTINGS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "settings.md"


def rows_of(table: str) -> list[tuple[str, ...]]:
    rows = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in table.splitlines()]
    return [tuple("" if cell == "none" else re.sub(r"^`(.*)`$", r"\1", cell) for cell in row) for row in rows]


def tables() -> list[list[tuple[str, ...]]]:
    found = re.findall(r"\|---.*\|\n((?:\|.*\n)+)", PAGE.read_text())
    return [rows_of(table) for table in found]


def test_every_setting_is_listed_with_its_default() -> None:
    assert [row[:3] for row in tables()[0]] == [(setting.option, setting.env, setting.default) for setting in SETTINGS]


def test_what_each_setting_means_is_told_in_the_same_words() -> None:
    assert [row[3] for row in tables()[0]] == [setting.meaning for setting in SETTINGS]


def test_every_feature_that_is_not_built_is_listed() -> None:
    assert [row[:2] for row in tables()[1]] == [(feature.option, feature.env) for feature in NOT_BUILT]
