"""The table of routes covers the contract, and the page that says so is true."""

import pytest

from tests.support.api_table import (
    BEGIN,
    END,
    PAGE,
    Call,
    answered,
    first_tier,
    ignored_in_vain,
    is_in,
    render,
    unread,
)

CALLS = [pytest.param(call, id=call.address) for call in first_tier()]


@pytest.mark.parametrize("call", CALLS)
def test_every_call_of_the_contract_is_answered(call: Call) -> None:
    assert is_in(call, answered())


@pytest.mark.parametrize("call", CALLS)
def test_every_field_is_read_or_listed_with_the_reason_why_not(call: Call) -> None:
    assert unread(call) == []


def test_nothing_is_listed_as_ignored_that_is_read() -> None:
    assert ignored_in_vain() == []


def test_the_page_lists_exactly_this() -> None:
    _, _, rest = PAGE.read_text().partition(BEGIN)
    table, _, _ = rest.partition(END)
    assert table == render(), "python -m tests.support.api_table writes the page anew"
