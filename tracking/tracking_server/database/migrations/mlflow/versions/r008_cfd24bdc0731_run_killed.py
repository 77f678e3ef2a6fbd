"""A run may have been killed."""

from sqlalchemy import CheckConstraint, String

from tracking_server.database.migrations.mlflow.operations import checks_on, dialect, rebuild

revision = "cfd24bdc0731"
down_revision = "2b4d017a5e9b"


STATUSES = "status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED')"


def upgrade() -> None:
    """The new condition has no name in MLflow's own step: each engine gives its own. On MySQL it stands beside the old,
    which goes with the next revision."""
    with rebuild("runs", names={}, constraints=[CheckConstraint(STATUSES)]) as runs:
        if dialect() != "mysql":
            runs.drop_constraint("status", "check")
        runs.alter_column("status", type_=String(9), existing_nullable=True)
        if dialect() != "sqlite" and not checks_on("runs", "KILLED"):
            runs.create_check(None, STATUSES)
