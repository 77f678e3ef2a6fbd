"""MLflow's own upgrade, step by step: `migration_walk.py URL TWIN FROM TO ROWS [at-once]`.

It makes two equal databases at revision FROM, and takes the one at URL to revision TO. ROWS is a JSON file with the
rows that the database gets at a revision. Prints, for each revision after FROM, what the tables and the rows are; when
it is to go there at once, for TO alone.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from tests.support.schema_facts import facts, insert_rows, rows


def main() -> None:
    url, twin, first, last, file, *at_once = sys.argv[1:]
    insertions: dict[str, Any] = json.loads(Path(file).read_text(encoding="utf-8"))
    made(twin, first, insertions.get(first, {}))
    engine, configuration = made(url, first, insertions.get(first, {}))
    found: dict[str, Any] = {}
    steps = ScriptDirectory.from_config(configuration).iterate_revisions(last, first)
    for revision in [last] if at_once else reversed([step.revision for step in steps]):
        command.upgrade(configuration, revision)
        insert(engine, insertions.get(revision, {}))
        with engine.connect() as connection:
            found[revision] = {"facts": facts(connection), "rows": rows(connection)}
    print(json.dumps(found))


def made(url: str, revision: str, rows_then: Any) -> tuple[Engine, Config]:
    engine = create_engine(url, poolclass=NullPool)
    configuration = _get_alembic_config(url)
    configuration.attributes["connection"] = SimpleNamespace(engine=engine)
    Base.metadata.create_all(engine)
    command.upgrade(configuration, revision)
    insert(engine, rows_then)
    return engine, configuration


def insert(engine: Engine, tables: Any) -> None:
    with engine.begin() as connection:
        insert_rows(connection, tables)


if __name__ == "__main__":
    main()
