"""The page about gateways lists what the code reads."""

import re

from tests.support.environments import ROOT
from tracking_server.gateway.options import VARIABLES

PAGE = (ROOT / "docs" / "reference" / "gateway.md").read_text()


def test_every_variable_is_listed_in_the_same_words() -> None:
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (.*) \|$", PAGE, re.MULTILINE)
    assert rows == [(variable.name, variable.meaning) for variable in VARIABLES]
