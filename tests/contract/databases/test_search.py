"""The search of runs on real engines finds the same, in the same order: what the language means."""

import math
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from msgspec.structs import replace
from sqlalchemy import Connection, text, update

from tests.support import searched_runs
from tests.support.filters import trees, written
from tests.support.searched_runs import COMPARISONS, FILTERS, SeededRun
from tracking_server.database import schema
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


@pytest.mark.parametrize(
    "order_by",
    [[], ["start_time"], ["end_time DESC"], ["metrics.loss"], ["metrics.loss DESC", "params.lr"], ["run_name"]],
)
def test_runs_that_come_and_go_between_pages_shift_no_others(database: Database, order_by: list[str]) -> None:
    """Before each page one run more, at each place of the order in turn, and one of those that came goes."""
    with database.write() as writing:
        searched_runs.seed(writing)
    come = [
        SeededRun(run_id=f"x{index}", start_time=start, end_time=start, name=name, metrics=metrics)
        for index, (start, name, metrics) in enumerate(
            product((None, 0, 2000), (None, "a", "z"), ({}, {"loss": math.nan}, {"loss": 0.5}))
        )
    ]
    found: list[str] = []
    token = ""
    while True:
        with database.write() as writing:
            if len(come) % 3 == 0:
                writing.execute(
                    update(schema.runs).where(schema.runs.c.run_uuid == "x0").values(lifecycle_stage="deleted")
                )
            searched_runs.seed_run(writing, come.pop())
        request = SearchRuns(order_by=tuple(order_by), max_results=2, page_token=token)
        query = select_run_page(request, [1, 2], database.dialect)
        with database.read() as reading:
            page = query.page_of_rows(reading.execute(query.statement).all())
        found += [row[0] for row in page.rows]
        token = page.next_page_token
        if not token:
            break
    seeded = [name for name in found if not name.startswith("x")]
    assert sorted(seeded) == sorted(expected("", order_by, ViewType.ACTIVE_ONLY))
    assert len(set(found)) == len(found)


RANGES = {
    "sqlite": "(experiment_id=? AND lifecycle_stage=? AND start_time<?)",
    "postgresql": "AND (start_time <= ",
    "mysql": "'runs', 'range', ",
}


@pytest.mark.parametrize("view", list(ViewType))
def test_an_index_leads_to_where_a_page_starts(database: Database, view: ViewType) -> None:
    """In the order of the newest first a page costs the same, however many are before it."""
    with database.write() as writing:
        runs = [
            SeededRun(run_id=f"{stage}{number}", lifecycle_stage=stage, start_time=number)
            for stage in ("active", "deleted")
            for number in range(200)
        ]
        searched_runs.seed(writing, runs)
    request = SearchRuns(max_results=190 * len(view.stages), run_view_type=view)
    first = select_run_page(request, [1], database.dialect)
    with database.write() as reading:
        page = first.page_of_rows(reading.execute(first.statement).all())
        token = page.next_page_token
        second = select_run_page(replace(request, max_results=1, page_token=token), [1], database.dialect).statement
        if database.dialect == "postgresql":  # few rows: the planner would not bother
            reading.execute(text("SET LOCAL enable_seqscan = off"))
            reading.execute(text("SET LOCAL enable_bitmapscan = off"))
            reading.execute(text("SET LOCAL enable_sort = off"))
        compiled = second.compile(reading.engine, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.dialect == "sqlite" else "EXPLAIN"
        plan = "\n".join(str(row) for row in reading.exec_driver_sql(f"{explain} {compiled}"))
    assert plan.count(RANGES[database.dialect]) == len(view.stages), plan
