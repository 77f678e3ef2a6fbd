"""The calls of the contract against the table of routes: what `docs/reference/api.md` says.

Run as a program (`python -m tests.support.api_table`), this module writes the table into that page.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracking_server.web.assembly import ROWS
from tracking_server.web.routing import paths_of
from tracking_server.web.unbuilt_routes import UNBUILT_ROWS

ROOT: Final = Path(__file__).resolve().parents[2]
CALLS: Final = ROOT / "tests" / "data" / "api" / "calls.json"
PAGE: Final = ROOT / "docs" / "reference" / "api.md"
BEGIN: Final = "<!-- table: python -m tests.support.api_table -->\n"
END: Final = "<!-- end of table -->\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    group: str
    method: str
    paths: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"`{self.method} {self.paths[0]}`"


def contract() -> Sequence[Call]:
    return [
        Call(group=call["group"], method=call["method"], paths=tuple(call["paths"]))
        for call in json.loads(CALLS.read_text())["calls"]
    ]


def answered() -> set[tuple[str, str]]:
    """Method and path, the names of parameters left out."""
    unbuilt = set(map(id, UNBUILT_ROWS))
    return {(row.method, _unnamed(path)) for row in ROWS if id(row) not in unbuilt for path in paths_of(row)}


def refused() -> set[tuple[str, str]]:
    return {(row.method, _unnamed(path)) for row in UNBUILT_ROWS for path in paths_of(row)}


def is_in(call: Call, table: set[tuple[str, str]]) -> bool:
    return all((call.method, _unnamed(path)) in table for path in call.paths)


def render() -> str:
    answers, refuses = answered(), refused()
    lines = ["| Group | Call | State |", "|---|---|---|"]
    for call in contract():
        state = "answered" if is_in(call, answers) else "501, not built yet" if is_in(call, refuses) else "missing"
        lines.append(f"| {call.group} | {call.address} | {state} |")
    count = sum(is_in(call, answers) for call in contract())
    return "\n".join([f"{count} of {len(contract())} calls are answered.", "", *lines, ""])


def _unnamed(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{render()}{END}{after}")
