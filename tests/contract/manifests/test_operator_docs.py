"""The reference pages of the operator list what the code knows."""

import re
from dataclasses import fields
from pathlib import Path

from tracking_operator.handlers.metrics import Metrics
from tracking_operator.settings import Settings

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_reference_page_lists_exactly_these_settings() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.*?) \| (.*?) \|$", (DOCS / "reference/operator-settings.md").read_text(), flags=re.MULTILINE
    )
    assert rows == [
        (known.metadata["env"], _shown(known.default), known.metadata["about"]) for known in fields(Settings)
    ]


def _shown(default: object) -> str:
    match default:
        case "" | ():
            return ""
        case bool():
            return f"`{str(default).lower()}`"
        case _:
            return f"`{default}`"


def test_the_reference_page_lists_exactly_these_metrics() -> None:
    text = (DOCS / "reference/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| .*? \| (.*?) \|$", text, flags=re.MULTILINE)
    assert rows == [
        (f"{family.name}_total" if family.type == "counter" else family.name, family.type, family.documentation)
        for family in Metrics().registry.collect()
    ]
