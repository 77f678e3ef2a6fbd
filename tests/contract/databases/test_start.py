import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Insert, insert, select, text, update

from tests.support.children import start_child, wait_for
from tests.support.databases import PostgreSql, counted_statements, opened
from tests.support.pooler import running_pooler
from tracking_server.database import schema
from tracking_server.database.migrations.mlflow import HEAD
from tracking_server.database.start import ensure_default_experiment, ready_database
from tracking_server.database.transactions import Database
from tracking_server.errors import ConfigInvalid, SchemaUnsupported

experiments = schema.experiments


def test_an_empty_database_is_built(empty_database: Database) -> None:
    assert ready_database(empty_database, creates_schema=True) is None
    with empty_database.read() as connection:
        assert connection.scalars(select(schema.alembic_version.c.version_num)).all() == [HEAD]


def test_an_empty_database_is_refused_when_it_must_not_be_built(empty_database: Database) -> None:
    with pytest.raises(SchemaUnsupported, match="trackplane db upgrade"):
        ready_database(empty_database, creates_schema=False)
    with pytest.raises(SchemaUnsupported):
        ready_database(empty_database, creates_schema=False)


def test_a_database_without_our_lineage_is_served_with_a_warning(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("DELETE FROM alembic_version_trackplane"))
    warning = ready_database(database, creates_schema=False)
    assert warning is not None
    assert "trackplane db upgrade" in warning


@pytest.mark.parametrize("revision", ["acf3f17fdcc7", "f4a9b2c7d1e6", "000000000000"])
def test_another_revision_is_refused(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(update(schema.alembic_version).values(version_num=revision))
    with pytest.raises(SchemaUnsupported, match=rf"(?s){revision}.*{HEAD}"):
        ready_database(database, creates_schema=True)


@pytest.mark.parametrize("revision", [None, "f4a9b2c7d1e6", "acf3f17fdcc7"], ids=["foreign", "newer", "older"])
def test_a_file_that_is_refused_is_left_as_it_is(sqlite_template: Path, tmp_path: Path, revision: str | None) -> None:
    """Its kind of journal included, which is written in its header."""
    path = tmp_path / "theirs.db"
    if revision is not None:
        path.write_bytes(sqlite_template.read_bytes())
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute(f"UPDATE alembic_version SET version_num = '{revision}'" if revision else "CREATE TABLE t (id)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with opened(f"sqlite:///{path}") as database, pytest.raises(SchemaUnsupported):
        ready_database(database, creates_schema=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_current_database_is_known_without_loading_what_migrates(database_url: str) -> None:
    program = """
import sys
from tracking_server.database.start import ready_database
from tracking_server.database.transactions import open_database
assert ready_database(open_database(sys.argv[1]), creates_schema=True) is None
sys.exit("alembic" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program, database_url], check=False).returncode == 0


@pytest.mark.parametrize(
    "statement",
    [
        insert(schema.experiments).values(name="a", workspace="team"),
        insert(schema.registered_models).values(name="a", workspace="team"),
        insert(schema.webhooks).values(webhook_id="a", name="a", url="a", workspace="team"),
    ],
    ids=["experiments", "registered_models", "webhooks"],
)
def test_a_database_with_workspaces_is_refused(database: Database, statement: Insert) -> None:
    with database.write() as connection:
        connection.execute(statement)
    with pytest.raises(SchemaUnsupported, match="workspaces"):
        ready_database(database, creates_schema=True)


def test_experiment_0_is_made_as_mlflow_makes_it(database: Database) -> None:
    ensure_default_experiment(database, "mlflow-artifacts:/0", 1700000000123)
    with database.read() as connection:
        row = connection.execute(select(experiments)).mappings().one()
    assert dict(row) == {
        "experiment_id": 0,
        "name": "Default",
        "artifact_location": "mlflow-artifacts:/0",
        "lifecycle_stage": "active",
        "creation_time": 1700000000123,
        "last_update_time": 1700000000123,
        "workspace": "default",
    }


def test_experiment_0_is_left_as_it_is_when_it_is_there(database: Database) -> None:
    ensure_default_experiment(database, "a:/", 1)
    with database.write() as connection:
        connection.execute(update(experiments).values(name="renamed", lifecycle_stage="deleted"))
    with counted_statements(database) as statements:
        ensure_default_experiment(database, "b:/", 2)
    assert len(statements) == 1
    with database.read() as connection:
        assert connection.execute(select(experiments.c.name, experiments.c.lifecycle_stage)).all() == [
            ("renamed", "deleted")
        ]


def test_another_experiment_of_its_name_is_no_reason_not_to_start(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(experiments).values(experiment_id=7, name="Default"))
    ensure_default_experiment(database, "a:/", 1)
    with database.read() as connection:
        assert connection.scalars(select(experiments.c.experiment_id)).all() == [7]


def test_the_next_experiment_is_number_one(database: Database) -> None:
    ensure_default_experiment(database, "a:/", 1)
    with database.write() as connection:
        made = connection.execute(insert(experiments).values(name="next"))
        assert made.inserted_primary_key is not None
        assert tuple(made.inserted_primary_key) == (1,)


def test_servers_that_start_at_once_on_an_empty_database_do_not_race(empty_database: Database) -> None:
    def start() -> None:
        ready_database(empty_database, creates_schema=True)
        ensure_default_experiment(empty_database, "a:/", 1)

    children = [start_child(start) for _ in range(4)]
    assert [wait_for(child) for child in children] == [0, 0, 0, 0]
    assert ready_database(empty_database, creates_schema=False) is None
    with empty_database.read() as connection:
        assert connection.scalars(select(experiments.c.experiment_id)).all() == [0]
        assert connection.scalars(select(schema.workspaces.c.name)).all() == ["default"]


def test_a_server_refuses_a_pooler_of_transactions(postgresql: PostgreSql) -> None:
    postgresql.create_database("pooled_server")
    with (
        running_pooler(postgresql.socket_folder, "pooled_server", is_per_transaction=True) as url,
        opened(url) as database,
        pytest.raises(ConfigInvalid, match="pooler"),
    ):
        ready_database(database, creates_schema=True)
