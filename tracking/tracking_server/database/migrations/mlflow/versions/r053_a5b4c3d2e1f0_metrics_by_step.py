"""The points of a metric by step."""

from tracking_server.database.migrations.mlflow.operations import create_index

revision = "a5b4c3d2e1f0"
down_revision = "c3d6457b6d8a"


def upgrade() -> None:
    create_index("index_metrics_run_uuid_key_step", "metrics", ["run_uuid", "key", "step"])
