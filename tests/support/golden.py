"""The database that MLflow 3.17.2 wrote, `tests/data/mlflow-3.17.2.db`, as a file and as rows for any engine."""

import shutil
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from tracking_server.database import schema
from tracking_server.database.transactions import Database, open_database

FILE: Final = Path(__file__).parents[1] / "data" / "mlflow-3.17.2.db"


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
