"""Where the payload of a trace is, and how long a workspace keeps it."""

from sqlalchemy import Column, Integer, String, Text

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "da6fb0208061"
down_revision = "7d34483879f0"


def upgrade() -> None:
    add_column("trace_info", Column("db_payload_generation", Integer(), nullable=False, server_default="0"))
    add_column("workspaces", Column("trace_archival_location", Text(), nullable=True))
    add_column("workspaces", Column("trace_archival_retention", String(32), nullable=True))
