"""The reference pages say what the code does."""

import re
from pathlib import Path

from tracking_server.commands.report import LIMIT_BYTES, REPORT_FILE
from tracking_server.database.check import Current, Empty, Foreign, Newer, Outdated, trackplane_steps
from tracking_server.database.migrations.mlflow import HEAD
from tracking_server.errors import CommandFailed

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def test_each_exit_code_is_explained() -> None:
    page = (REFERENCE / "reports.md").read_text()
    listed = {int(code): reason for code, reason in re.findall(r"^\| (\d+) \| `(\w+)` \|", page, re.MULTILINE)}
    assert listed == {kind.exit_code: kind.__name__ for kind in CommandFailed.__subclasses__()}
    assert REPORT_FILE in page
    assert f"{LIMIT_BYTES:,} bytes" in page


def test_each_state_and_each_revision_is_explained() -> None:
    page = (REFERENCE / "database.md").read_text()
    for kind in (Empty, Current, Outdated, Newer, Foreign):
        assert f"| `{kind.__name__}`" in page
    assert re.findall(r"^- `(\d{4})`:", page, re.MULTILINE) == [step.revision for step in trackplane_steps()]
    assert f"`{HEAD}`" in page
