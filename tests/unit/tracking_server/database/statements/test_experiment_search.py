"""The search of experiments: filters, view types, orders and their tie-breakers, pages."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert
from sqlalchemy.engine import make_url

from tracking_server.database import schema
from tracking_server.database.statements.experiment_search import MOST_RESULTS, select_experiment_page
from tracking_server.database.transactions import open_database
from tracking_server.entities.experiments import SearchExperiments
from tracking_server.entities.lifecycle import ViewType
from tracking_server.errors import InvalidParameter

DIALECTS = {
    "sqlite": "sqlite://",
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "mssql": "mssql+pyodbc://",
}

ROWS = [
    {"experiment_id": 0, "name": "Default", "creation_time": None, "last_update_time": None},
    {"experiment_id": 1, "name": "alpha", "creation_time": 100, "last_update_time": 900},
    {"experiment_id": 2, "name": "Alpha", "creation_time": 100, "last_update_time": 800},
    {"experiment_id": 3, "name": "al%a", "creation_time": 300, "last_update_time": 800},
    {"experiment_id": 4, "name": "gone", "creation_time": 200, "last_update_time": 1, "lifecycle_stage": "deleted"},
    {"experiment_id": 123456789012345678, "name": "from a folder", "creation_time": 50, "last_update_time": 50},
    {"experiment_id": 5, "name": "elsewhere", "creation_time": 1, "last_update_time": 1, "workspace": "other"},
]
TAGS = [
    {"experiment_id": 1, "key": "team", "value": "vision"},
    {"experiment_id": 2, "key": "team", "value": "Vision"},
    {"experiment_id": 3, "key": "Team", "value": "vision"},
    {"experiment_id": 3, "key": "a b/c", "value": ""},
]
BIG = 123456789012345678


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    database = open_database("sqlite://")
    with database.write() as connection:
        schema.metadata.create_all(connection)
        connection.execute(
            insert(schema.experiments),
            [{"lifecycle_stage": "active", "workspace": "default"} | row for row in ROWS],
        )
        connection.execute(insert(schema.experiment_tags), TAGS)
    with database.read() as connection:
        yield connection
    database.dispose()


def search(
    connection: Connection,
    *,
    filter: str = "",  # noqa: A002 - the name of the field
    order_by: tuple[str, ...] = (),
    view_type: ViewType = ViewType.ACTIVE_ONLY,
    max_results: int = 1000,
    page_token: str = "",
) -> tuple[list[int], str]:
    request = SearchExperiments(
        filter=filter, order_by=order_by, view_type=view_type, max_results=max_results, page_token=page_token
    )
    query = select_experiment_page(request, connection.dialect.name)
    page = query.page_of_rows(connection.execute(query.statement).all())
    return [row[0] for row in page.rows], page.next_page_token


@pytest.mark.parametrize(
    ("filter_text", "found"),
    [
        pytest.param("name = 'alpha'", {1}, id="name"),
        pytest.param("name != 'alpha'", {0, 2, 3, BIG}, id="another name"),
        pytest.param("attribute.name LIKE 'al%'", {1, 3}, id="like"),
        pytest.param("name ILIKE 'AL%'", {1, 2, 3}, id="ilike"),
        pytest.param("experiment_id = '3'", {3}, id="id"),
        pytest.param("experiment_id = '999999999999'", set[int](), id="an id nobody has"),
        pytest.param("experiment_id != '3'", {0, 1, 2, BIG}, id="another id"),
        pytest.param(f"experiment_id IN ('1', '03', '{BIG}')", {1, 3, BIG}, id="ids in a list"),
        pytest.param("experiment_id NOT IN ('1', '3')", {0, 2, BIG}, id="ids not in a list"),
        pytest.param("creation_time >= 100", {1, 2, 3}, id="time"),
        pytest.param("creation_time != 100", {3, BIG}, id="a time that is not there is not unequal"),
        pytest.param("last_update_time < 900 AND creation_time = 100", {2}, id="two times"),
        pytest.param("tags.team = 'vision'", {1}, id="tag"),
        pytest.param("tags.team != 'vision'", {2}, id="another value"),
        pytest.param("tag.team ILIKE 'VISION'", {1, 2}, id="tag ilike"),
        pytest.param("tags.team LIKE '%ision'", {1, 2}, id="tag like"),
        pytest.param("tags.team IS NULL", {0, 3, BIG}, id="no tag"),
        pytest.param("tags.`a b/c` IS NOT NULL", {3}, id="a tag"),
        pytest.param("tags.`a b/c` = ''", {3}, id="an empty tag"),
    ],
)
def test_a_filter_finds_what_it_means(connection: Connection, filter_text: str, found: set[int]) -> None:
    ids, token = search(connection, filter=filter_text)
    assert (set(ids), token) == (found, "")


@pytest.mark.parametrize(
    ("order_by", "found"),
    [
        pytest.param((), [3, 1, 2, BIG, 0], id="the newest first, then the least id"),
        pytest.param(
            ("creation_time",), [BIG, 2, 1, 3, 0], id="oldest first, then the greatest id, without a time last"
        ),
        pytest.param(("creation_time DESC",), [3, 2, 1, BIG, 0], id="newest first, then the greatest id"),
        pytest.param(("last_update_time DESC", "name"), [1, 2, 3, BIG, 0], id="two keys"),
        pytest.param(("experiment_id",), [0, 1, 2, 3, BIG], id="by id"),
        pytest.param(("name DESC",), [BIG, 1, 3, 0, 2], id="by name"),
    ],
)
def test_an_order(connection: Connection, order_by: tuple[str, ...], found: list[int]) -> None:
    assert search(connection, order_by=order_by) == (found, "")


def test_view_types(connection: Connection) -> None:
    assert search(connection, view_type=ViewType.DELETED_ONLY) == ([4], "")
    assert 4 in search(connection, view_type=ViewType.ALL)[0]


ATTRIBUTES = st.sampled_from(["name", "experiment_id", "creation_time", "last_update_time"])
ORDERS = st.lists(st.tuples(ATTRIBUTES, st.sampled_from(["", " DESC"])), max_size=3, unique_by=lambda item: item[0])


@given(orders=ORDERS, size=st.integers(1, 7), view=st.sampled_from(ViewType))
def test_pages_together_are_the_whole(
    connection: Connection, orders: list[tuple[str, str]], size: int, view: ViewType
) -> None:
    order_by = tuple(map("".join, orders))
    whole, _ = search(connection, order_by=order_by, view_type=view)
    found, token = search(connection, order_by=order_by, view_type=view, max_results=size)
    while token:
        more, token = search(connection, order_by=order_by, view_type=view, max_results=size, page_token=token)
        found += more
    assert found == whole


def test_a_token_belongs_to_its_search(connection: Connection) -> None:
    _, token = search(connection, max_results=1)
    for other in ("name ILIKE 'a%'", "tags.team IS NULL"):
        with pytest.raises(InvalidParameter, match="Invalid page token"):
            search(connection, filter=other, page_token=token)


@pytest.mark.parametrize("size", [-1, 0, MOST_RESULTS + 1])
def test_a_page_size_has_bounds(connection: Connection, size: int) -> None:
    with pytest.raises(InvalidParameter, match="max_results"):
        search(connection, max_results=size)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_page_is_one_statement_of_every_engine(dialect: str) -> None:
    request = SearchExperiments(
        filter="name ILIKE 'a' AND tags.x = 'y' AND experiment_id IN ('1', '99999999999') AND creation_time > 5",
        order_by=("last_update_time DESC",),
        max_results=5,
    )
    statement = select_experiment_page(request, dialect).statement
    compiled = statement.compile(dialect=make_url(DIALECTS[dialect]).get_dialect()())
    assert ("NULLS LAST" in compiled.string) == (dialect == "postgresql")
    assert ([1, 99999999999] in compiled.params.values()) == (dialect == "sqlite")
    assert ([1] in compiled.params.values()) == (dialect != "sqlite")
