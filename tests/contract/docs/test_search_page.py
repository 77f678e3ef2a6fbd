"""docs/reference/search.md: its tables are the grammars, its examples are filters, its limits are those of the code."""

import re

import pytest

from tests.support.search_page import GRAMMARS, PAGE, with_tables
from tracking_server.search.lexer import MAX_CHARACTERS
from tracking_server.search.parser import MAX_COMPARISONS, MAX_DEPTH, MAX_ORDERINGS, parse_filter

EXAMPLES = [
    (noun, line)
    for noun, lines in re.findall(r"```([a-z ]+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in lines.splitlines()
]


def test_the_tables_are_the_grammars() -> None:
    """`python -m tests.support.search_page` rewrites them."""
    assert with_tables(PAGE.read_text()) == PAGE.read_text()
    assert re.findall(r"<!-- table: ([a-z ]+) -->", PAGE.read_text()) == list(GRAMMARS)


@pytest.mark.parametrize(("noun", "text"), EXAMPLES)
def test_an_example_is_a_filter(noun: str, text: str) -> None:
    parse_filter(text, GRAMMARS[noun])


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 5


def test_the_limits_are_those_of_the_code() -> None:
    _, _, limits = PAGE.read_text().partition("| Limit of a filter or an order | |")
    numbers = [int(number.replace(",", "")) for number in re.findall(r"^\| .+? \| ([\d,]+) \|$", limits, re.MULTILINE)]
    assert numbers[:4] == [MAX_CHARACTERS, MAX_COMPARISONS, MAX_DEPTH, MAX_ORDERINGS]
