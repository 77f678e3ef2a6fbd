"""MLflow 3.17.2 itself uses a database that we made, beside our extra indexes and tables, and hands it back."""

import subprocess
from pathlib import Path

from sqlalchemy import select

from tests.support.environments import client_python
from tracking_server.database import schema
from tracking_server.database.check import Current, inspect_database
from tracking_server.database.start import ensure_default_experiment
from tracking_server.database.transactions import Database

PROGRAM = """
import sys
from mlflow.store.db.utils import _safe_initialize_tables, _upgrade_db, create_sqlalchemy_engine_with_retry
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.entities import Metric, RunTag

url, artifacts = sys.argv[1:]
store = SqlAlchemyStore(url, artifacts)
assert store.get_experiment("0").name == "Default"
experiment = store.create_experiment("theirs")
run = store.create_run(experiment, "user", 1, [RunTag("a", "b")], "run")
store.log_metric(run.info.run_id, Metric("loss", float("nan"), 1, 0))
store.delete_run(run.info.run_id)
store.restore_run(run.info.run_id)
assert [found.info.run_id for found in store.search_runs([experiment], "tags.a = 'b'", 1)] == [run.info.run_id]
Registry(url).create_registered_model("model")
_upgrade_db(create_sqlalchemy_engine_with_retry(url))
"""


def test_mlflow_uses_it_and_hands_it_back(database: Database, tmp_path: Path) -> None:
    ensure_default_experiment(database, f"file://{tmp_path}/artifacts", 1)
    url = database.url.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [client_python(), "-c", PROGRAM, url, str(tmp_path / "artifacts")],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    with database.read() as connection:
        assert isinstance(inspect_database(connection), Current)
        assert connection.scalars(select(schema.experiments.c.name)).all() == ["Default", "theirs"]
        assert connection.scalars(select(schema.metrics.c.is_nan)).all() == [True]
