"""The contract against the table of routes: which calls are answered, and whether each field of them is read.

Run as a program, this module writes the tables of `docs/reference/api.md` anew; with `--check` (`make api-coverage`) it
prints what is missing, and ends with 1 if anything is.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.support.ignored_fields import IGNORED
from tracking_server.web.assembly import ROWS
from tracking_server.web.route import Download, Route, Row, Upload
from tracking_server.web.routing import paths_of
from tracking_server.wire.decode import FieldReader
from tracking_server.wire.fields import Field

ROOT: Final = Path(__file__).resolve().parents[2]
CONTRACT: Final = ROOT / "tests" / "data" / "api" / "rest_api.json"
PAGE: Final = ROOT / "docs" / "reference" / "api.md"
BEGIN: Final = "<!-- table: python -m tests.support.api_table -->\n"
END: Final = "<!-- end of table -->\n"
TIERS: Final = {
    1: "experiments, runs, metrics, datasets, artifacts, logged models, registry, webhooks",
    2: "traces, assessments, evaluation datasets, scorers, labelling",
    3: "gateway, jobs, users, workspaces and the rest",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call of the contract. `fields`: what its request may have, nested ones with dots."""

    tier: int
    group: str
    method: str
    paths: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def address(self) -> str:
        return f"{self.method} {self.paths[0]}"


@cache
def contract() -> Sequence[Call]:
    document = json.loads(CONTRACT.read_text())
    return [
        Call(
            tier=each["tier"],
            group=each["group"],
            method=each["method"],
            paths=tuple(each["paths"]),
            fields=tuple(_fields(each.get("request", ()), document["types"])),
        )
        for each in document["endpoints"]
    ]


def first_tier() -> Sequence[Call]:
    return [call for call in contract() if call.tier == 1]


def _fields(given: Iterable[Mapping[str, Any]], types: Mapping[str, Any], place: str = "") -> Iterator[str]:
    for field in given:
        name = f"{place}{field['name']}"
        yield name
        yield from _fields(types.get(field["type"], ()), types, f"{name}.")


def answered() -> Mapping[tuple[str, str], Row]:
    """By method and path, the names of parameters left out."""
    return {(row.method, _unnamed(path)): row for row in ROWS for path in paths_of(row)}


def is_in(call: Call, table: Mapping[tuple[str, str], Row]) -> bool:
    return all((call.method, _unnamed(path)) in table for path in call.paths)


def unread(call: Call) -> list[str]:
    """The fields that the decoder of any of its rows does not read and that are not listed as ignored."""
    table, ignored = answered(), IGNORED.get(call.address, {})
    return [
        field
        for field in call.fields
        if field not in ignored
        and is_in(call, table)
        and any(field not in _read_by(table[call.method, _unnamed(path)]) for path in call.paths)
    ]


def ignored_in_vain() -> list[str]:
    """What is listed as ignored, and is read or is no field."""
    calls = {call.address: call for call in first_tier()}
    table = answered()
    return [
        f"{address}: {field}"
        for address, fields in IGNORED.items()
        for field in fields
        if (call := calls.get(address)) is None
        or field not in call.fields
        or (is_in(call, table) and field in _read_by(table[call.method, _unnamed(call.paths[0])]))
    ]


def fields_read_by(row: Row) -> tuple[Field, ...]:
    decode: object = row.decode if isinstance(row, Route | Download | Upload) else None
    return decode.fields if isinstance(decode, FieldReader) else ()


def _read_by(row: Row) -> frozenset[str]:
    return frozenset(_names(fields_read_by(row)))


def _names(fields: Iterable[Field], place: str = "") -> Iterator[str]:
    for field in fields:
        yield f"{place}{field.name}"
        yield from _names(field.item or (), f"{place}{field.name}.")


def faults() -> list[str]:
    answers = answered()
    missing = [f"{call.address}: not answered" for call in first_tier() if not is_in(call, answers)]
    not_read = [
        f"{call.address}: {field} is neither read nor listed as ignored"
        for call in first_tier()
        if is_in(call, answers)
        for field in unread(call)
    ]
    return [*missing, *not_read, *(f"{each} is ignored in vain" for each in ignored_in_vain())]


def render() -> str:
    return "\n".join([*_tiers(), "", *_calls(), "", *_ignored(), ""])


def _tiers() -> Iterator[str]:
    answers = answered()
    yield "| Tier | | Calls | Answered |"
    yield "|---|---|---|---|"
    for tier, what in TIERS.items():
        calls = [call for call in contract() if call.tier == tier]
        yield f"| {tier} | {what} | {len(calls)} | {sum(is_in(call, answers) for call in calls)} |"


def _calls() -> Iterator[str]:
    answers = answered()
    yield "| Group | Call of tier 1 | State |"
    yield "|---|---|---|"
    for call in first_tier():
        state = "answered" if is_in(call, answers) else "missing"
        yield f"| {call.group} | `{call.address}` | {state} |"


def _ignored() -> Iterator[str]:
    if not IGNORED:
        yield "Each field of their requests is read."
        return
    yield "Each field of their requests is read, but for these, which are taken and mean nothing here:"
    yield ""
    yield "| Call | Field | Why |"
    yield "|---|---|---|"
    for address, fields in IGNORED.items():
        for field, reason in fields.items():
            yield f"| `{address}` | `{field}` | {reason} |"


def _unnamed(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _main(arguments: Sequence[str]) -> int:
    if arguments != ["--check"]:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}{render()}{END}{after}")
        return 0
    found = faults()
    print("\n".join(_tiers()))
    print(f"\n{sum(len(call.fields) for call in first_tier())} fields of requests in tier 1")
    print("\n".join(found) or "Each is read, or listed as ignored with the reason.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
