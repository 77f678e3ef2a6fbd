"""MySQL: the default of a column, which MLflow's own step before this one loses."""

from alembic import op

from tracking_server.database.migrations.mlflow.operations import checks_on, dialect

revision = "c48cb773bb87"
down_revision = "39d1c3be5f05"


def upgrade() -> None:
    """MLflow's own step repeats the condition on the column, and no later one takes it back: so it is here."""
    if dialect() == "mysql" and checks_on("metrics", "is_nan") < 2:
        op.execute("ALTER TABLE metrics MODIFY is_nan BOOL NOT NULL DEFAULT '0', ADD CHECK (is_nan IN (0, 1))")
