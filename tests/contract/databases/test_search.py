"""The search of runs on real engines finds the same, in the same order: what the language means."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from tests.support import searched_runs
from tests.support.filters import trees, written
from tests.support.searched_runs import COMPARISONS, FILTERS
from tracking_server.database.statements.run_search import select_run_page
from tracking_server.database.transactions import Database
from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.runs import SearchRuns
from tracking_server.search.grammars import RUNS
from tracking_server.search.parser import MAX_COMPARISONS, MAX_DEPTH, parse_filter, parse_order_by
from tracking_server.search.tree import Filter

ORDERS = [
    [],
    ["metrics.loss"],
    ["metrics.loss DESC"],
    ["metrics.acc DESC", "metrics.loss"],
    ["params.lr", "end_time DESC"],
    ["end_time DESC", "status"],
    ["start_time", "metrics.loss DESC", "run_id DESC"],
    ["artifact_uri DESC"],
]
ORDERS_BY_TEXT = [
    ["params.lr DESC", "tags.team"],
    ["tags.team DESC", "start_time"],
    ["start_time", "run_name DESC"],
    ["end_time DESC", "user_id"],
    ["run_name", "metrics.loss DESC", "run_id DESC"],
]


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.write() as writing:
        searched_runs.seed(writing)
    with database.read() as reading:
        yield reading


def pages(connection: Connection, size: int, filter_text: str, order_by: Sequence[str], view: ViewType) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        request = SearchRuns(
            filter=filter_text, order_by=tuple(order_by), run_view_type=view, max_results=size, page_token=token
        )
        query = select_run_page(request, [1, 2], connection.dialect.name)
        page = query.page_of_rows(connection.execute(query.statement).all())
        found += [row[0] for row in page.rows]
        token = page.next_page_token
        if not token:
            return found


def expected(filter_text: str, order_by: Sequence[str], view: ViewType) -> list[str]:
    tree = parse_filter(filter_text, RUNS)
    found = [
        run
        for run in searched_runs.RUNS
        if run.experiment_id in {1, 2} and run.lifecycle_stage in view.stages and searched_runs.matches(run, tree)
    ]
    return list(searched_runs.in_order(found, parse_order_by(order_by, RUNS)))


def test_every_filter_finds_what_it_means(connection: Connection) -> None:
    for filter_text in FILTERS:
        for view in ViewType:
            assert pages(connection, 100, filter_text, [], view) == expected(filter_text, [], view), filter_text


def test_comparisons_are_joined_as_in_python(connection: Connection) -> None:
    @settings(deadline=None)
    @given(tree=trees(RUNS, COMPARISONS))
    def check(tree: Filter) -> None:
        text = written(tree, RUNS)
        assert pages(connection, 100, text, [], ViewType.ALL) == expected(text, [], ViewType.ALL)

    check()


@pytest.mark.parametrize("joined_by", [" AND ", " OR "])
@pytest.mark.parametrize("comparison", ["tags.team != 'x'", "NOT metrics.loss > 0", "start_time > 0"])
def test_every_engine_takes_as_much_as_a_filter_may_have(
    connection: Connection, comparison: str, joined_by: str
) -> None:
    """The deepest and the longest at once: each level joins some more."""
    each = joined_by.join([comparison] * (MAX_COMPARISONS // MAX_DEPTH))
    text = each
    for level in range(MAX_DEPTH - 1):
        text = f"{each}{' OR ' if level % 2 else ' AND '}({text})"
    for filter_text in (text, joined_by.join([comparison] * MAX_COMPARISONS)):
        assert pages(connection, 100, filter_text, [], ViewType.ALL) == expected(filter_text, [], ViewType.ALL)


def test_every_order_is_the_same_in_one_page_and_in_many(connection: Connection) -> None:
    for order_by in ORDERS:
        wanted = expected("", order_by, ViewType.ALL)
        for size in (1, 2, 5, 100):
            assert pages(connection, size, "", order_by, ViewType.ALL) == wanted, order_by


@pytest.mark.parametrize("order_by", [[], *ORDERS_BY_TEXT])
def test_pages_together_are_the_whole(connection: Connection, order_by: list[str]) -> None:
    """Whatever order a collation gives to texts."""
    whole = pages(connection, 100, "", order_by, ViewType.ALL)
    assert sorted(whole) == sorted(expected("", order_by, ViewType.ALL))
    for size in (1, 2, 5):
        assert pages(connection, size, "", order_by, ViewType.ALL) == whole
