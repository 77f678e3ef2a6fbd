"""Generated sequences of calls: both servers answer the same, but for the quirks that are listed."""

from random import Random

import pytest

from tests.support.parity.page import BEGIN, END, PAGE, table
from tests.support.parity.quirks import QUIRKS
from tests.support.parity.sequences import OPERATIONS, Comparison, Tally, play_sequence
from tests.support.parity.servers import Pair

CALLS = 2000


@pytest.fixture(scope="module")
def tally(pair: Pair) -> Tally:
    """Of sequences in which no difference was left unexplained; `make parity` makes one that fails shorter."""
    comparison = Comparison(pair=pair, tally=Tally())
    draw = Random(1)
    while comparison.tally.calls.total() < CALLS:
        play_sequence(comparison, draw)
    return comparison.tally


def test_both_servers_answer_the_same(tally: Tally) -> None:
    assert tally.surprises == {}
    assert tally.calls.total() >= CALLS


def test_most_calls_succeed_and_many_do_not(tally: Tally) -> None:
    """A comparison of refusals alone, or of none, would prove little."""
    assert 0.5 < tally.answers["200"] / tally.calls.total() < 0.95
    assert tally.answers["400 INVALID_PARAMETER_VALUE"] > 50
    assert tally.answers["404 RESOURCE_DOES_NOT_EXIST"] > 20


def test_every_kind_of_call_is_made(tally: Tally) -> None:
    assert len(tally.calls) >= len(OPERATIONS)


def test_only_listed_quirks_are_met(tally: Tally) -> None:
    assert set(tally.quirks) <= {quirk.name for quirk in QUIRKS}


def test_the_page_lists_exactly_the_quirks() -> None:
    _, _, rest = PAGE.read_text().partition(BEGIN)
    assert rest.partition(END)[0] == table(), "python -m tests.support.parity.page writes the table anew"
    assert len({quirk.name for quirk in QUIRKS}) == len(QUIRKS)
