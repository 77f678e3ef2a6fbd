"""The last lines of pytest name what was left out because the machine lacks it; hypothesis minds no slow machine."""

import pytest
from hypothesis import settings

from tests.support.left_out import PREFIX

pytest_plugins = ["tests.support.artifact_stores", "tests.support.databases", "tests.support.two_servers"]

settings.register_profile("trackplane", deadline=None)
settings.load_profile("trackplane")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, int] = {}
    for report in terminalreporter.getreports("skipped"):
        _, found, what = str(report.longreprtext).partition(PREFIX)
        what = what.removesuffix("')")
        if found:
            counts[what] = counts.get(what, 0) + 1
    for what, count in sorted(counts.items()):
        terminalreporter.write_line(f"left out {count} tests: {what}", yellow=True)
