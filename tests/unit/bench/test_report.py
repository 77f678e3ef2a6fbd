"""The table of `make bench`: its ratios, and which bars it says are missed."""

import pytest

from tests.bench.contenders import GTHREAD, MLFLOW, OURS
from tests.bench.report import Figures, markdown, with_table
from tests.bench.seeds import SCALES, matches_filter


def a_row(*, bar: float | None = None, bar_of_gthread: float | None = None, most: float | None = None) -> Figures:
    """Ours is ten, four and eight times as fast as the default server, and four times as fast as the other."""
    row = Figures(
        title="log", unit="requests/s", more_is_better=True, bar=bar, bar_of_gthread=bar_of_gthread, most=most
    )
    for ours, default, gthread in ((100, 10, 25), (40, 10, 10), (80, 10, 20)):
        row.add(OURS, ours, 1.0)
        row.add(MLFLOW, default, 20.0)
        row.add(GTHREAD, gthread, 5.0)
    return row


def test_a_ratio_is_one_within_a_round() -> None:
    assert a_row().ratios(MLFLOW) == [4, 8, 10]


def test_less_is_better_for_what_is_counted_in_seconds() -> None:
    row = Figures(title="gc", unit="s", more_is_better=False)
    row.add(OURS, 2)
    row.add(MLFLOW, 30)
    assert row.ratios(MLFLOW) == [15]


def test_the_processor_is_compared_with_the_first_of_the_others() -> None:
    assert a_row().cpu_ratio == 20


@pytest.mark.parametrize(
    ("row", "misses"),
    [
        pytest.param(a_row(bar=8), [], id="reached"),
        pytest.param(a_row(bar=9), ["8.0x of mlflow instead of 9x"], id="missed"),
        pytest.param(a_row(bar=8, bar_of_gthread=5), ["4.0x of gthread instead of 5x"], id="missed-to-the-other"),
        pytest.param(a_row(most=120), [], id="below-the-most"),
        pytest.param(a_row(most=70), ["80.00 requests/s instead of at most 70"], id="above-the-most"),
    ],
)
def test_a_bar_is_missed_when_the_median_is_below_it(row: Figures, misses: list[str]) -> None:
    assert row.misses(MLFLOW) == misses


def test_a_bar_holds_against_mlflow_only() -> None:
    assert a_row(bar=1000).misses("trackplane-again") == []


def test_the_table_says_what_is_missed() -> None:
    table = markdown([a_row(bar=9, bar_of_gthread=4)], [OURS, MLFLOW, GTHREAD])
    assert table.splitlines() == [
        "| workload | MLflow | MLflow on gthread | Trackplane | times MLflow | bar | CPU |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| log, requests/s | 10 | 20 (1/4) | 80 | 4 - **8** - 10 | 9x, 4x of gthread: **missed** | 20x |",
    ]


def test_the_filter_of_the_search_finds_more_than_a_page() -> None:
    assert sum(map(matches_filter, range(SCALES["full"].runs))) == 500


PAGE = "one\n<!-- bench sqlite -->\nold\n<!-- end -->\ntwo\n<!-- bench postgresql -->\n<!-- end -->\nthree\n"


def test_a_table_replaces_the_one_of_its_database() -> None:
    written = with_table(PAGE, "sqlite", "new")
    assert written == PAGE.replace("old", "new")
    assert with_table(written, "sqlite", "new") == written


def test_a_table_is_put_where_there_is_none_yet() -> None:
    assert with_table(PAGE, "postgresql", "new") == PAGE.replace("<!-- end -->\nthree", "new\n<!-- end -->\nthree")


def test_a_page_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="no place"):
        with_table(PAGE, "mariadb", "new")
