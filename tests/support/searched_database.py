"""One database to search in all of its nouns, with rows that MLflow's own server can read: it fails at some NULLs."""

from dataclasses import replace
from typing import Final

from sqlalchemy import Connection, insert, update

from tests.support import searched_models, searched_runs
from tracking_server.database import schema

READABLE_RUNS: Final = [
    replace(run, user_id=run.user_id or "", start_time=1 if run.start_time is None else run.start_time)
    for run in searched_runs.RUNS
]
EXPERIMENTS: Final = [
    {"experiment_id": 11, "name": "alpha", "creation_time": 100, "last_update_time": 900},
    {"experiment_id": 12, "name": "Alpha", "creation_time": 100, "last_update_time": 800},
    {"experiment_id": 13, "name": "al%a", "creation_time": 300, "last_update_time": 800},
    {"experiment_id": 14, "name": "gone", "creation_time": 200, "last_update_time": 1, "lifecycle_stage": "deleted"},
]
EXPERIMENT_TAGS: Final = [
    {"experiment_id": 11, "key": "team", "value": "vision"},
    {"experiment_id": 12, "key": "team", "value": "Vision"},
    {"experiment_id": 13, "key": "Team", "value": "vision"},
    {"experiment_id": 13, "key": "a b/c", "value": ""},
]
REGISTERED: Final = [
    {"name": "forest", "creation_time": 100, "last_updated_time": 500},
    {"name": "Forest", "creation_time": 200, "last_updated_time": 400},
    {"name": "f%rest", "creation_time": 300, "last_updated_time": 400},
    {"name": "prompt", "creation_time": 400, "last_updated_time": 600},
]
REGISTERED_TAGS: Final = [
    {"name": "forest", "key": "team", "value": "vision"},
    {"name": "Forest", "key": "team", "value": "Vision"},
    {"name": "f%rest", "key": "a b/c", "value": ""},
    {"name": "prompt", "key": "mlflow.prompt.is_prompt", "value": "true"},
    {"name": "prompt", "key": "team", "value": "vision"},
]
VERSIONS: Final = [
    {"name": "forest", "version": 1, "last_updated_time": 500, "source": "models:/m-a0", "run_id": "a0"},
    {"name": "forest", "version": 2, "last_updated_time": 500, "source": "s3://b/x", "run_id": "a1"},
    {"name": "forest", "version": 10, "last_updated_time": 400, "source": "s3://b/X", "run_id": ""},
    {"name": "Forest", "version": 1, "last_updated_time": 500, "source": "s3://b/y", "run_id": "a1"},
    {"name": "prompt", "version": 1, "last_updated_time": 700, "source": "dummy-source", "run_id": ""},
]
VERSION_TAGS: Final = [
    {"name": "forest", "version": 1, "key": "team", "value": "vision"},
    {"name": "forest", "version": 2, "key": "team", "value": "Vision"},
    {"name": "forest", "version": 10, "key": "a b/c", "value": ""},
    {"name": "prompt", "version": 1, "key": "mlflow.prompt.is_prompt", "value": "true"},
]


def seed(connection: Connection) -> None:
    """Into a database that has the default experiment alone."""
    searched_runs.seed(connection, READABLE_RUNS)
    searched_models.seed(connection)
    connection.execute(insert(schema.experiments), [{"lifecycle_stage": "active"} | row for row in EXPERIMENTS])
    connection.execute(insert(schema.experiment_tags), EXPERIMENT_TAGS)
    connection.execute(insert(schema.registered_models), REGISTERED)
    connection.execute(insert(schema.registered_model_tags), REGISTERED_TAGS)
    kept = {"status": "READY", "current_stage": "None"}
    connection.execute(
        insert(schema.model_versions), [{**kept, "creation_time": row["last_updated_time"], **row} for row in VERSIONS]
    )
    connection.execute(insert(schema.model_version_tags), VERSION_TAGS)
    of_experiments = schema.experiments.c
    connection.execute(update(schema.experiments).values(artifact_location="mlflow-artifacts:/x"))
    connection.execute(update(schema.experiments).where(of_experiments.creation_time.is_(None)).values(creation_time=5))
    connection.execute(
        update(schema.experiments).where(of_experiments.last_update_time.is_(None)).values(last_update_time=5)
    )
