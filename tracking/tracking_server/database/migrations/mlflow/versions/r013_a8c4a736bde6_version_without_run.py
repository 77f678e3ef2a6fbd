"""A model version need not come from a run."""

from sqlalchemy import String

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "a8c4a736bde6"
down_revision = "84291f40a231"


def upgrade() -> None:
    with rebuild("model_versions", names={}) as versions:
        versions.alter_column("run_id", nullable=True, existing_type=String(32), existing_nullable=False)
