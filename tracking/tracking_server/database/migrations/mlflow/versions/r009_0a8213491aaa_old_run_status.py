"""MySQL: the condition on the status that knows no killed run goes."""

from tracking_server.database.migrations.mlflow.operations import dialect, drop_constraint

revision = "0a8213491aaa"
down_revision = "cfd24bdc0731"


def upgrade() -> None:
    if dialect() == "mysql":
        drop_constraint("status", "runs", "check")
