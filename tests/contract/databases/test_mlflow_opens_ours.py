"""MLflow 3.17.2 and a server of ours in turn on one database of ours, beside our extra indexes and tables."""

from pathlib import Path

from sqlalchemy import func, select

from tests.support.client import last_line, run_script
from tests.support.databases import opened
from tests.support.environments import ROOT
from tests.support.migrated import driven
from tests.support.server import live_server
from tracking_server.database import schema
from tracking_server.database.check import Current, inspect_database

TWO_WAY = ROOT / "tests" / "contract" / "client" / "scripts" / "two_way.py"
WRITTEN = {"written", "absent"}
"""What the script says of a part: a server of ours is not told what only a database takes."""


def test_both_write_and_read_the_same(database_url: str, tmp_path: Path) -> None:
    with live_server(tmp_path, environ={"MLFLOW_BACKEND_STORE_URI": database_url}) as server:
        told = last_line(run_script(TWO_WAY, driven(database_url), server.url, home=tmp_path))
    assert {part for parts in told["written"].values() for part in parts.values()} == WRITTEN
    assert told["written"]["theirs"]["issues"] == "written"
    theirs, ours = told["read"]
    assert ours == theirs
    assert len(ours["runs"]) >= 20
    assert len(ours["model_versions"]) > 10
    with opened(database_url) as database, database.read() as connection:
        assert isinstance(inspect_database(connection), Current)
        assert connection.scalar(select(func.count()).select_from(schema.trace_info)) == 3
