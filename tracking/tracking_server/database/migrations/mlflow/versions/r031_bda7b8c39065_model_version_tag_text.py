"""Values of the tags of model versions of any length, for prompts."""

from sqlalchemy import Text

from tracking_server.database.migrations.mlflow.operations import alter_type

revision = "bda7b8c39065"
down_revision = "6953534de441"


def upgrade() -> None:
    alter_type("model_version_tags", "value", Text(), nullable=True)
