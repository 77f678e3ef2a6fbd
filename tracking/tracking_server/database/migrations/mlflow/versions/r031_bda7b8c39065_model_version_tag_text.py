"""Values of the tags of model versions of any length, for prompts."""

from sqlalchemy import String, Text

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "bda7b8c39065"
down_revision = "6953534de441"


def upgrade() -> None:
    """The foreign key of SQLite stays without a name."""
    with rebuild("model_version_tags", names={}) as tags:
        tags.alter_column("value", existing_type=String(5000), type_=Text(), existing_nullable=True)
