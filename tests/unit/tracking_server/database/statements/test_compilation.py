"""Every statement that is built once compiles for every engine."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import Executable

from tests.support.dialects import DIALECTS, compiled
from tracking_server.database import statements
from tracking_server.database.statements.bulk_insert import BulkInsert
from tracking_server.database.urls import DRIVERS

ONLY = {"metrics._ALL_ON_POSTGRESQL": "postgresql", "runs._INSERT_WITH_TAGS_ON_POSTGRESQL": "postgresql"}


def constants() -> Iterator[tuple[str, object]]:
    for module in pkgutil.iter_modules(statements.__path__, f"{statements.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            yield f"{module.name.rpartition('.')[2]}.{name}", value


STATEMENTS = {name: value for name, value in constants() if isinstance(value, Executable)}
BULK_INSERTS = {name: value for name, value in constants() if isinstance(value, BulkInsert)}


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
