"""What belongs to a run is found by its id."""

from tracking_server.database.migrations.mlflow.operations import create_index

revision = "bd07f7e963c5"
down_revision = "c48cb773bb87"


def upgrade() -> None:
    for table in ("params", "metrics", "latest_metrics", "tags"):
        create_index(f"index_{table}_run_uuid", table, ["run_uuid"])
