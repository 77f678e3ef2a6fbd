"""Tests that failed beside all others are run once more, by themselves: `make test-again`, after `make test`.

What fails again is broken. What passes is unsteady and named, to be mended: either it, or what it tests, minds what
else the machine does. More than a few at once are not chance.
"""

import json
import sys
from pathlib import Path
from typing import Final

import pytest

LIMIT: Final = 3

_LAST_FAILED: Final = Path(".pytest_cache/v/cache/lastfailed")


def main() -> int:
    if not _LAST_FAILED.exists():
        print("No test failed: what ended the run was something else.")
        return 1
    failed = sorted(json.loads(_LAST_FAILED.read_text()))
    if len(failed) > LIMIT:
        print(f"{len(failed)} tests failed; only {LIMIT} or fewer are run again.")
        return 1
    status = pytest.main(["-q", "--last-failed", "--last-failed-no-failures", "none", "tests/unit", "tests/contract"])
    if status == 0:
        print("UNSTEADY, failed beside all others and passed alone:", *failed, sep="\n  ")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
