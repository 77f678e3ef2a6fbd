"""Indexes for what MLflow scans: the runs and tags of an experiment, what is deleted, what hangs on a run.

On PostgreSQL they are built without blocking writers, which no transaction can hold: a kill leaves an invalid index,
and the next try drops it.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import inspect, text

revision = "0001"
down_revision = None
additive = True
rewrites: Sequence[str] = ()

INDEXES = (
    ("trackplane_runs_by_experiment", "runs", ("experiment_id", "lifecycle_stage", "start_time", "run_uuid")),
    ("trackplane_runs_by_deletion", "runs", ("lifecycle_stage", "deleted_time")),
    ("trackplane_experiment_tags_by_experiment", "experiment_tags", ("experiment_id",)),
    (
        "trackplane_logged_models_by_experiment",
        "logged_models",
        ("experiment_id", "lifecycle_stage", "creation_timestamp_ms"),
    ),
    ("trackplane_logged_model_metrics_by_run", "logged_model_metrics", ("run_id",)),
    ("trackplane_model_versions_by_run", "model_versions", ("run_id",)),
)

# A search shows the newest run first, and runs without a start time last. For PostgreSQL alone, NULL is not the least.
IN_POSTGRESQL = {"start_time": text("start_time DESC NULLS LAST")}


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            _make_concurrently()
    else:
        _make()


def _make() -> None:
    for name, table, columns in INDEXES:
        if name not in {index["name"] for index in inspect(op.get_bind()).get_indexes(table)}:
            op.create_index(name, table, list(columns))


def _make_concurrently() -> None:
    # It waits for every transaction that is older, and holds nobody up meanwhile.
    op.execute("SET lock_timeout = 0")
    op.execute("SET statement_timeout = 0")
    for name, table, columns in INDEXES:
        is_valid = op.get_bind().execute(
            text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"), {"name": name}
        )
        match is_valid.scalar():
            case True:
                continue
            case False:
                op.drop_index(name, postgresql_concurrently=True)
            case _:
                pass
        in_order = [IN_POSTGRESQL.get(column, column) for column in columns]
        op.create_index(name, table, in_order, postgresql_concurrently=True)
