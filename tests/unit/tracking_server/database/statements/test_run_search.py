"""The search of runs: a seeded database is searched as the language means it, page by page, in every order."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from tests.support import searched_runs
from tests.support.searched_runs import FILTERS
from tracking_server.database import schema
from tracking_server.database.statements.run_search import MOST_RESULTS, select_run_page
from tracking_server.database.transactions import open_database
from tracking_server.entities.lifecycle import ViewType
from tracking_server.entities.runs import SearchRuns
from tracking_server.errors import InvalidParameter
from tracking_server.search.grammars import RUNS
from tracking_server.search.parser import parse_filter, parse_order_by

EXPERIMENTS = (1, 2)

DIALECTS = {
    "sqlite": "sqlite://",
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "mssql": "mssql+pyodbc://",
}


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    database = open_database("sqlite://")
    with database.write() as connection:
        schema.metadata.create_all(connection)
        searched_runs.seed(connection)
    with database.read() as connection:
        yield connection
    database.dispose()


def search(connection: Connection, **fields: object) -> tuple[list[str], str]:
    request = SearchRuns(**{"experiment_ids": tuple(map(str, EXPERIMENTS)), **fields})  # type: ignore[arg-type] # fields of SearchRuns
    query = select_run_page(request, [int(number) for number in request.experiment_ids], connection.dialect.name)
    page = query.page_of_rows(connection.execute(query.statement).all())
    return [row[0] for row in page.rows], page.next_page_token


def search_all(connection: Connection, size: int, **fields: object) -> list[str]:
    found, token = search(connection, max_results=size, **fields)
    while token:
        more, token = search(connection, max_results=size, page_token=token, **fields)
        assert more
        found += more
    return found


def expected(filter_text: str = "", order_by: Sequence[str] = (), stages: Sequence[str] = ("active",)) -> list[str]:
    tree = parse_filter(filter_text, RUNS)
    found = [
        run
        for run in searched_runs.RUNS
        if run.experiment_id in EXPERIMENTS and run.lifecycle_stage in stages and searched_runs.matches(run, tree)
    ]
    return list(searched_runs.in_order(found, parse_order_by(order_by, RUNS)))


@pytest.mark.parametrize("view", list(ViewType))
@pytest.mark.parametrize("filter_text", FILTERS)
def test_a_filter_finds_what_it_means(connection: Connection, filter_text: str, view: ViewType) -> None:
    found, _ = search(connection, filter=filter_text, run_view_type=view)
    assert found == expected(filter_text, stages=view.stages)


ORDER_ITEMS = st.tuples(
    st.sampled_from(["metrics.loss", "metrics.acc", "params.lr", "tags.team", "start_time", "end_time", "run_name"]),
    st.sampled_from(["", " ASC", " DESC"]),
).map("".join)
ORDERS = st.lists(ORDER_ITEMS, max_size=4, unique_by=lambda item: item.split()[0])


@given(order_by=ORDERS, size=st.integers(1, 12), filter_text=st.sampled_from(FILTERS), view=st.sampled_from(ViewType))
def test_pages_together_are_the_whole_in_order(
    connection: Connection, order_by: list[str], size: int, filter_text: str, view: ViewType
) -> None:
    fields = {"filter": filter_text, "order_by": tuple(order_by), "run_view_type": view}
    whole, token = search(connection, **fields)
    assert token == ""
    assert whole == expected(filter_text, order_by, view.stages)
    assert search_all(connection, size, **fields) == whole


def test_no_token_follows_a_last_page_that_is_full(connection: Connection) -> None:
    whole = expected()
    assert search(connection, max_results=len(whole)) == (whole, "")
    assert search(connection, max_results=len(whole) - 1)[1] != ""


def test_ordering_by_the_id_needs_no_more_keys(connection: Connection) -> None:
    assert search(connection, order_by=("run_id DESC", "start_time")) == (sorted(expected(), reverse=True), "")


def test_an_experiment_that_no_column_could_hold_has_no_runs(connection: Connection) -> None:
    assert search(connection, experiment_ids=(str(2**70),)) == ([], "")
    assert search(connection, experiment_ids=()) == ([], "")
    compiled = select_run_page(SearchRuns(), [1, 2**31], "postgresql").statement.compile()
    assert [1] in compiled.params.values()


def test_a_token_belongs_to_its_search(connection: Connection) -> None:
    _, token = search(connection, max_results=2, filter="metrics.loss < 9")
    assert search(connection, max_results=5, filter="metrics.loss < 9", page_token=token)[0]
    for other in (
        {"filter": "metrics.loss < 8"},
        {"filter": "metrics.loss < 9", "order_by": ("run_id",)},
        {"filter": "metrics.loss < 9", "run_view_type": ViewType.ALL},
        {"filter": "metrics.loss < 9", "experiment_ids": ("1",)},
    ):
        with pytest.raises(InvalidParameter, match="Invalid page token"):
            search(connection, page_token=token, **other)


@given(st.text() | st.binary().map(lambda octets: octets.hex()) | st.from_regex(r"[A-Za-z0-9_=-]*", fullmatch=True))
def test_any_other_token_is_refused(connection: Connection, token: str) -> None:
    if token:
        with pytest.raises(InvalidParameter, match="Invalid page token"):
            search(connection, page_token=token)


@pytest.mark.parametrize("size", [-1, 0, MOST_RESULTS + 1])
def test_a_page_size_has_bounds(connection: Connection, size: int) -> None:
    with pytest.raises(InvalidParameter, match="max_results"):
        search(connection, max_results=size)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("filter_text", FILTERS)
def test_a_page_is_one_statement_of_every_engine(dialect: str, filter_text: str) -> None:
    order_by = ("metrics.loss DESC", "params.lr", "end_time DESC", "tags.team", "status")
    query = select_run_page(SearchRuns(filter=filter_text, order_by=order_by), [1, 2], dialect)
    text = str(query.statement.compile(dialect=make_url(DIALECTS[dialect]).get_dialect()()))
    assert "DISTINCT" not in text
    assert ("NULLS LAST" in text) == (dialect == "postgresql")
    assert (" ILIKE " in text) == (dialect == "postgresql" and "ILIKE" in filter_text)
    assert ("AS BINARY" in text) == (dialect == "mysql")
    assert ("COLLATE Latin1_General_BIN2" in text) == (dialect == "mssql")
    assert dialect != "mssql" or " IS 1" not in text
