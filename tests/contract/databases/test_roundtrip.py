"""A small `make roundtrip` of one seed: generated rows go round all engines, and what does not fit is refused."""

from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from tests.support.databases import ENGINES, PostgreSql
from tests.support.mariadb import MariaDb
from tests.support.roundtrip.generated import TABLES, generate
from tests.support.roundtrip.trips import Places, refused, there_and_back

SEED: Final = 20261125


@pytest.fixture
def places(postgresql: PostgreSql, mariadb: MariaDb, tmp_path: Path) -> Places:
    return Places(tmp_path, {"postgresql": postgresql, "mariadb": mariadb})


@pytest.mark.parametrize("others", [("postgresql", "mariadb"), ("mariadb", "postgresql")])
def test_generated_rows_come_round(others: tuple[str, str], places: Places) -> None:
    rows = generate(SEED, 12)
    assert all(rows[table.name] for table in TABLES)
    assert list(there_and_back(places, "sqlite", others, rows)) == []


@pytest.mark.parametrize(("first", "other"), list(permutations(ENGINES, 2)))
def test_what_another_engine_cannot_hold_is_refused_by_row(first: str, other: str, places: Places) -> None:
    assert list(refused(places, first, other, SEED)) == []
