"""The reference pages of the resource say what the definition and the code say."""

import re
from pathlib import Path
from typing import Final

from tests.support.resource_page import generated, written
from tracking_operator.resource.conditions import ConditionType, Reason

PAGE: Final = Path(__file__).resolve().parents[3] / "docs/reference/conditions.md"


def test_the_page_of_the_resource_is_that_of_the_definition() -> None:
    assert written() == generated(), "run: python -m tests.support.resource_page"


def test_the_page_of_conditions_lists_exactly_the_types_and_reasons_of_the_code() -> None:
    types, _, reasons = PAGE.read_text().partition("## Reasons")
    assert re.findall(r"^\| `(\w+)` \| (.*?) \|$", types, flags=re.MULTILINE) == [
        (str(one), one.meaning) for one in ConditionType
    ]
    assert re.findall(r"^\| `(\w+)` \| (.*?) \| .*\|$", reasons, flags=re.MULTILINE) == [
        (str(one), one.meaning) for one in Reason
    ]


def test_every_reason_that_needs_a_person_says_what_to_do() -> None:
    failures = [reason for reason in Reason if str(reason).endswith(("Failed", "Invalid", "Missing", "Unusable"))]
    rows = dict(re.findall(r"^\| `(\w+)` \| .*? \| (.*?) ?\|$", PAGE.read_text(), flags=re.MULTILINE))
    assert [reason for reason in failures if not rows[str(reason)]] == []
