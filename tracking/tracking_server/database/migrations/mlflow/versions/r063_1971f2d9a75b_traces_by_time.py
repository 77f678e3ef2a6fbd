"""Traces by time, for archiving."""

from tracking_server.database.migrations.mlflow.operations import create_index

revision = "1971f2d9a75b"
down_revision = "6f8d9c3b2a1e"


def upgrade() -> None:
    create_index("index_trace_info_timestamp_ms_request_id", "trace_info", ["timestamp_ms", "request_id"])
