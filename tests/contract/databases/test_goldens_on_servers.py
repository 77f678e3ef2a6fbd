"""The databases that releases of MLflow wrote on SQLite, with the same rows on the other engines: our upgrade leaves
what MLflow's own leaves there."""

import json
import os
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.databases import opened
from tests.support.migrated import RELEASES, differences, rows_of_golden, walk, what_is_left
from tracking_server.database.migrations.mlflow import HEAD
from tracking_server.database.migrations.upgrade import upgrade

COMBINATIONS: Final = (
    [(engine, release) for engine in ("postgresql", "mariadb") for release in RELEASES]
    if "TRACKPLANE_TEST_ALL_GOLDENS" in os.environ
    else [("postgresql", "2.9.2"), ("mariadb", "2.22.5")]
)
"""All of them take minutes: `make releases` sets it."""

pytestmark = pytest.mark.xdist_group("goldens_on_servers")


@pytest.mark.parametrize(("engine_name", "release"), COMBINATIONS)
def test_a_database_of_a_release_becomes_what_mlflows_own_upgrade_makes_of_it(
    engine_name: str, release: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    server: Any = request.getfixturevalue(engine_name)
    revision, tables = rows_of_golden(release, tmp_path)
    (rows := tmp_path / "rows.json").write_text(json.dumps({revision: tables}), encoding="utf-8")
    name: Final = f"golden_{release.replace('.', '_')}"
    theirs, ours = (server.create_database(f"{name}_{who}") for who in ("theirs", "ours"))
    left = walk(theirs, ours, revision, HEAD, rows, tmp_path, at_once=True)
    with opened(ours) as database:
        before = what_is_left(database)["rows"]
        assert {table: len(lines) for table, lines in before.items()} == {
            table: len(lines) for table, lines in tables.items()
        }
        upgrade(database)
        assert differences(what_is_left(database), left[HEAD]) == []
