"""Where a truth value is a number, a condition keeps it 0 or 1."""

from sqlalchemy import CheckConstraint

from tracking_server.database.migrations.mlflow.operations import checks_on, dialect, rebuild

revision = "39d1c3be5f05"
down_revision = "a8c4a736bde6"


CONDITION = "is_nan IN (0, 1)"


def upgrade() -> None:
    """MySQL's default of the column, which MLflow's own step loses and its next one mends, stays."""
    if dialect() == "postgresql":
        return
    for table in ("latest_metrics", "metrics"):
        with rebuild(table, names={}, constraints=[CheckConstraint(CONDITION)]) as rebuilt:
            if dialect() != "sqlite" and not checks_on(table, "is_nan"):
                rebuilt.create_check(None, CONDITION)
