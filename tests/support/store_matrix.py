"""The last lines of `make stores`: how many promises each store kept, by the way in which files come and go."""

import re
from collections import Counter
from typing import Final

import pytest

STORES: Final = ("local", "s3", "gcs", "azure")
MODES: Final = {
    "contract": re.compile(r"test_(store|object_stores|local_store)\.py"),
    "faults": re.compile(r"test_faults\.py"),
    "proxied": re.compile(r"test_served\.py::(?!test_runs_that|test_what_is_collected)"),
    "direct": re.compile(r"test_served\.py::test_(runs_that|what_is_collected)"),
    "presigned": re.compile(r"test_(signing|presigned)\.py"),
    "client": re.compile(r"test_store_modes\.py"),
}
NOT_SEEN: Final = (
    "gcs: fake-gcs-server has no XML API and looks at no signature. Uploads in parts by clients, and addresses put to",
    "another use than was signed, are tried on s3 and azure; of gcs, the requests and what is signed are looked at.",
)
"""What no test here has seen, because an emulator cannot do it."""
_STORE: Final = re.compile(r"[\[_-](local|s3|gcs|azure|google)(?=[\]_-])")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: Counter[tuple[str, str, bool]] = Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.getreports(outcome):
            cell = _cell(report.nodeid)
            if cell is not None and (outcome == "error" or getattr(report, "when", "") == "call"):
                counts[(*cell, outcome == "passed")] += 1
    terminalreporter.section("promises kept, by store and way")
    terminalreporter.write_line(f"{'':<8}" + "".join(f"{mode:>12}" for mode in MODES))
    for store in STORES:
        cells = (_shown(counts[store, mode, True], counts[store, mode, False]) for mode in MODES)
        terminalreporter.write_line(f"{store:<8}" + "".join(f"{cell:>12}" for cell in cells))
    for line in NOT_SEEN:
        terminalreporter.write_line(line)


def _cell(nodeid: str) -> tuple[str, str] | None:
    """A test that is of no one store is in no cell."""
    found = _STORE.search(nodeid.rpartition("::")[2])
    store = "local" if "test_local_store" in nodeid else found[1].replace("google", "gcs") if found else None
    mode = next((name for name, pattern in MODES.items() if pattern.search(nodeid)), None)
    return (store, mode) if store and mode else None


def _shown(kept: int, broken: int) -> str:
    if not kept + broken:
        return "-"
    return f"{kept} of {kept + broken}"
