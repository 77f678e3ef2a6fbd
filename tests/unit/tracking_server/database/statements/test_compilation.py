"""Every statement that is built once compiles for every engine."""

import pytest

from tests.support.dialects import DIALECTS, compiled
from tests.support.statements import BULK_INSERTS, ONLY, STATEMENTS
from tracking_server.database.urls import DRIVERS


def test_there_is_something_to_compile_for_every_engine() -> None:
    assert len(STATEMENTS) > 30
    assert len(BULK_INSERTS) >= 7
    assert set(DIALECTS) == {driver.dialect for driver in DRIVERS.values()}


@pytest.mark.parametrize(
    ("name", "engine"),
    [(name, engine) for name in STATEMENTS for engine in DIALECTS if ONLY.get(name, engine) == engine],
)
def test_a_statement_compiles(name: str, engine: str) -> None:
    assert compiled(STATEMENTS[name], engine)


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("name", BULK_INSERTS)
def test_a_bulk_insert_compiles(name: str, engine: str) -> None:
    assert compiled(BULK_INSERTS[name].statement(engine), engine)
