"""Tags of the registry by what they belong to."""

from tracking_server.database.migrations.mlflow.operations import create_index

revision = "7d34483879f0"
down_revision = "ae8bbe7743c9"


def upgrade() -> None:
    create_index(
        "idx_model_version_tags_workspace_name_version", "model_version_tags", ["workspace", "name", "version"]
    )
    create_index("idx_registered_model_tags_workspace_name", "registered_model_tags", ["workspace", "name"])
