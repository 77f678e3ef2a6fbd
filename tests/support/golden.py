"""The database that MLflow 3.17.2 wrote, `tests/data/mlflow-3.17.2.db`, as a file and as rows for any engine."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from tracking_server.database import schema
from tracking_server.database.transactions import Database, open_database

FILE: Final = Path(__file__).parents[1] / "data" / "mlflow-3.17.2.db"
ARTIFACTS: Final = FILE.with_suffix(".artifacts.tar.gz")
"""The folder `artifacts` that belongs to it."""


def read_by_mlflow() -> dict[str, Any]:
    """Experiments, runs and logged models by their ids, as MLflow's client read them from MLflow's server."""
    read: dict[str, list[dict[str, Any]]] = json.loads(FILE.with_suffix(".json").read_text())
    nouns = {"experiments": "experiment_id", "runs": "run_id", "logged_models": "model_id"}
    return {noun: {item[identity]: item for item in read[noun]} for noun, identity in nouns.items()}


def copy_golden(path: Path) -> Path:
    shutil.copyfile(FILE, path)
    return path


def fill_with_golden(database: Database, folder: Path) -> None:
    """Into a database that has the tables, and no rows but what a new one has. `folder` is for a copy of the file."""
    source = open_database(f"sqlite:///{copy_golden(folder / 'golden-source.db')}")
    with source.read() as golden, database.write() as connection:
        connection.execute(schema.workspaces.delete())
        for table in schema.metadata.sorted_tables:
            _copy(golden, connection, table.name)
        if database.dialect == "postgresql":  # MLflow would have drawn the ids from it
            last = select(func.max(schema.experiments.c.experiment_id)).scalar_subquery()
            connection.execute(select(func.setval("experiments_experiment_id_seq", last)))
    source.dispose()


def _copy(golden: Connection, connection: Connection, name: str) -> None:
    table = schema.metadata.tables[name]
    columns = [column for column in table.columns if column.computed is None]
    rows: list[dict[str, Any]] = [dict(row) for row in golden.execute(select(*columns)).mappings()]
    if rows:
        connection.execute(insert(table), rows)
