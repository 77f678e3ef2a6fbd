"""The reference pages of the operator list what the code knows."""

import ast
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


def test_the_logs_page_lists_exactly_these_messages() -> None:
    """A call of a logger names its message as a constant, so the source can be read for them."""
    logged = set[str]()
    for path in (DOCS.parent / "operator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("logger."):
                (message,) = (one.value for one in node.args if isinstance(one, ast.Constant))
                logged.add(str(message))
    operator = (DOCS / "operations/logs.md").read_text().split("## Operator")[1].split("\n## ")[0]
    listed = re.findall(r"^\| [a-z, ]+ \| `(.*?)` \|", operator, flags=re.MULTILINE)
    assert sorted(listed) == sorted(logged)


def test_the_logs_page_lists_every_fact() -> None:
    operator = (DOCS / "operations/logs.md").read_text().split("## Operator")[1].split("\n## ")[0]
    fields = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", operator, flags=re.MULTILINE))
    used = re.findall(r"^\| [a-z, ]+ \| `.*?` \| (.*?) \|", operator, flags=re.MULTILINE)
    assert {name for row in used for name in row.split(", ")} - {"traceback"} == fields
