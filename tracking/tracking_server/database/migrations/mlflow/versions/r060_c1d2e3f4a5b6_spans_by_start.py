"""The spans of an experiment by time, which stands in for those of an experiment."""

from tracking_server.database.migrations.mlflow.operations import create_index, drop_index

revision = "c1d2e3f4a5b6"
down_revision = "a8b9c0d1e2f3"


def upgrade() -> None:
    drop_index("index_spans_experiment_id", "spans")
    create_index("index_spans_experiment_id_start_time", "spans", ["experiment_id", "start_time_unix_nano"])
