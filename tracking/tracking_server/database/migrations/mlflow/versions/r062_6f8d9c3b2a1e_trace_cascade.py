"""A trace goes with its experiment."""

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "6f8d9c3b2a1e"
down_revision = "c3d9e7f1a2b4"

KEY = "fk_trace_info_experiment_id"


def upgrade() -> None:
    with rebuild("trace_info") as traces:
        traces.replace_foreign_key(KEY, KEY, ["experiment_id"], "experiments", ["experiment_id"], ondelete="CASCADE")
