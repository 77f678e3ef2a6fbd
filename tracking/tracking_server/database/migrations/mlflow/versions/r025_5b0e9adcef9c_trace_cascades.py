"""The tags and metadata of a trace go with it."""

from tracking_server.database.migrations.mlflow.operations import rebuild

revision = "5b0e9adcef9c"
down_revision = "867495a8f9d4"


def upgrade() -> None:
    for table in ("trace_tags", "trace_request_metadata"):
        key = f"fk_{table}_request_id"
        with rebuild(table) as rebuilt:
            rebuilt.replace_foreign_key(key, key, ["request_id"], "trace_info", ["request_id"], ondelete="CASCADE")
