"""The datasets of an experiment go with it."""

from tracking_server.database.migrations.mlflow.operations import NAMES, now, rebuild

revision = "0584bdc529eb"
down_revision = "f5a4f2784254"

COLUMNS = ["experiment_id"]


def upgrade() -> None:
    """The key is called as the engine called it; SQLite's has no name, and is told one to be dropped by."""
    parts = {"table_name": "datasets", "referred_table_name": "experiments", "column_0_name": "experiment_id"}
    found = [key["name"] for key in now().get_foreign_keys("datasets") if key["constrained_columns"] == COLUMNS]
    old = next(iter(found), None) or NAMES["fk"] % parts
    name = "fk_datasets_experiment_id_experiments"
    with rebuild("datasets") as datasets:
        datasets.replace_foreign_key(old, name, COLUMNS, "experiments", COLUMNS, ondelete="CASCADE")
