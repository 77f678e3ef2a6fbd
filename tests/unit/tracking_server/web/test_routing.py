import pytest

from tracking_server.web.assembly import ROWS
from tracking_server.web.front_page import front_page_route
from tracking_server.web.route import Fixed, Row
from tracking_server.web.routing import Match, RouteTable, WrongMethod, paths_of

ONE = Fixed(path="/api/2.0/one", body=b"1")
POST_ONE = Fixed(path="/api/2.0/one", body=b"1", method="POST")
FILE = Fixed(path="/api/2.0/files/{path*}", body=b"f")
MODEL = Fixed(path="/api/2.0/models/{model_id}/tags/{key}", body=b"m")
PAGE = Fixed(path="/page", body=b"p")
TABLE = RouteTable([ONE, POST_ONE, FILE, MODEL, PAGE])


@pytest.mark.parametrize(
    ("method", "path", "row", "parameters"),
    [
        ("GET", "/api/2.0/one", ONE, {}),
        ("HEAD", "/ajax-api/2.0/one", ONE, {}),
        ("POST", "/api/2.0/one", POST_ONE, {}),
        ("GET", "/page", PAGE, {}),
        ("GET", "/api/2.0/files/a", FILE, {"path": "a"}),
        ("GET", "/ajax-api/2.0/files/a/b/../c\n", FILE, {"path": "a/b/../c\n"}),
        ("GET", "/api/2.0/models/m-1/tags/k", MODEL, {"model_id": "m-1", "key": "k"}),
    ],
)
def test_a_path_finds_its_row(method: str, path: str, row: Row, parameters: dict[str, str]) -> None:
    assert TABLE.find(method, path) == Match(row=row, path_parameters=parameters)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/api/2.0/one/",
        "/api/2.0/One",
        "/api/2.0/files/",
        "/api/2.0/models/m-1/tags/a/b",
        "/api/2.0/models//tags/k",
        "/ajax-api/page",
        "/xapi/2.0/one",
    ],
)
def test_other_paths_find_nothing(path: str) -> None:
    assert TABLE.find("GET", path) is None


def test_a_wrong_method_learns_the_right_ones() -> None:
    assert TABLE.find("DELETE", "/api/2.0/one") == WrongMethod(allowed=("GET", "HEAD", "POST"))
    assert TABLE.find("PUT", "/api/2.0/files/a") == WrongMethod(allowed=("GET", "HEAD"))


def test_a_static_prefix_comes_first() -> None:
    table = RouteTable([PAGE, front_page_route("/ml")], static_prefix="/ml")
    assert table.find("GET", "/ml/page") == Match(row=PAGE, path_parameters={})
    assert isinstance(table.find("GET", "/ml/"), Match)
    for path in ("/page", "/mlpage", "/ml", "/ml/ml/page"):
        assert table.find("GET", path) is None


def test_two_rows_for_one_request_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="two routes for GET /page"):
        RouteTable([PAGE, PAGE])
    with pytest.raises(ValueError, match="two routes"):
        RouteTable([MODEL, MODEL])


def test_every_row_of_the_real_table_is_found() -> None:
    table = RouteTable(ROWS)
    for row in ROWS:
        for path in paths_of(row):
            found = table.find(row.method, path)
            assert isinstance(found, Match)
            assert found.row is row


def test_only_probes_answer_to_any_host() -> None:
    exempt = {
        row.path for row in ROWS if type(row).__name__ == "Probe" or (isinstance(row, Fixed) and row.is_for_probes)
    }
    assert exempt == {"/health", "/version", "/livez", "/readyz"}
