"""What a test does when the machine lacks what it runs against: it is left out by name, and never silently.

`.ci/run` sets `TRACKPLANE_TEST_STRICT=1`, which turns it into a failure. `tests/conftest.py` writes the names in the
last lines of pytest.
"""

import os
from typing import NoReturn

import pytest

PREFIX = "left out: "


def leave_out(what: str) -> NoReturn:
    """`what` names the missing thing and how to get it."""
    if os.environ.get("TRACKPLANE_TEST_STRICT") == "1":
        pytest.fail(f"missing, and TRACKPLANE_TEST_STRICT=1: {what}", pytrace=False)
    pytest.skip(f"{PREFIX}{what}")
