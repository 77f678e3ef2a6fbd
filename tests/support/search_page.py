"""The tables of docs/reference/search.md, made from the grammars. Run as a program, it rewrites them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tracking_server.search.grammars import (
    EXPERIMENTS,
    LOGGED_MODELS,
    MODEL_VERSIONS,
    REGISTERED_MODELS,
    RUNS,
    Family,
    Grammar,
    Rule,
)
from tracking_server.search.tree import Comparator

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "reference" / "search.md"
GRAMMARS: Final = {
    grammar.noun: grammar for grammar in (RUNS, EXPERIMENTS, LOGGED_MODELS, REGISTERED_MODELS, MODEL_VERSIONS)
}
_HEAD: Final = ["| Identifier | Written | Comparators | Literal |", "|---|---|---|---|"]
_TABLE: Final = re.compile(r"(<!-- table: ([a-z ]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """The page, each of its tables as the grammar has it whose noun it names."""
    return _TABLE.sub(lambda found: f"{found[1]}{table(GRAMMARS[found[2]])}\n{found[3]}", page)


def table(grammar: Grammar) -> str:
    return "\n".join([*_HEAD, *(row for family in grammar.families for row in _rows(family))])


def _rows(family: Family) -> Iterator[str]:
    if isinstance(family.rule, Rule):
        yield _row(family.entity.value, family, family.rule)
        return
    names: dict[Rule, list[str]] = {}
    for name, rule in family.rule.items():
        names.setdefault(rule, []).append(name)
    of_entity = f"{family.entity.value} " if family.needs_prefix else ""
    for rule, alike in names.items():
        yield _row(of_entity + _code(alike), family, rule)


def _row(identifier: str, family: Family, rule: Rule) -> str:
    prefixes = _code([f"{prefix}." for prefix in family.prefixes])
    written = prefixes if family.needs_prefix else f"bare, or {prefixes}"
    comparators = _code([comparator.value for comparator in Comparator if comparator in rule.comparators])
    return f"| {identifier} | {written} | {comparators} | {rule.operand.value} |"


def _code(words: list[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
