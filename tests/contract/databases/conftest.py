"""Databases that archives are taken from, and go to."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.databases import PostgreSql, opened
from tests.support.golden import fill_with_golden
from tests.support.mariadb import MariaDb
from tracking_server.database.transactions import Database


@pytest.fixture
def filled(database: Database, tmp_path: Path) -> Database:
    fill_with_golden(database, tmp_path)
    return database


@pytest.fixture
def other(database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Another, empty database of the same engine."""
    url = f"sqlite:///{tmp_path / 'other.db'}"
    if database.dialect != "sqlite":
        name = "postgresql" if database.dialect == "postgresql" else "mariadb"
        server = request.getfixturevalue(name)
        assert isinstance(server, PostgreSql | MariaDb)
        url = server.create_database(f"other_{time.monotonic_ns()}")
    with opened(url) as found:
        yield found
