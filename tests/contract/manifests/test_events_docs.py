"""The page about Events lists exactly the Events that there are."""

from pathlib import Path
from typing import Final

from tracking_operator.decisions.events import EventReason

PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "events.md"


def _rows(heading: str) -> dict[str, str]:
    section = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[1].strip(" `"): row[2].strip() for row in cells}


def test_every_event_is_described_in_its_own_words() -> None:
    for kind in ("Normal", "Warning"):
        assert _rows(kind) == {str(reason): reason.meaning for reason in EventReason if reason.type == kind}


def test_every_warning_says_what_to_do() -> None:
    rows = [
        line for line in PAGE.read_text("utf-8").partition("## Warning\n")[2].splitlines() if line.startswith("| `")
    ]
    assert rows
    assert all(len(row.split("|")[3].strip()) > 3 for row in rows)
