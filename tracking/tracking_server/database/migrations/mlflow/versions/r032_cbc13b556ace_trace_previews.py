"""What the third version of traces says of each: the client's own id, and how request and response begin."""

from sqlalchemy import Column, String

from tracking_server.database.migrations.mlflow.operations import add_column

revision = "cbc13b556ace"
down_revision = "bda7b8c39065"


def upgrade() -> None:
    add_column("trace_info", Column("client_request_id", String(50), nullable=True))
    add_column("trace_info", Column("request_preview", String(1000), nullable=True))
    add_column("trace_info", Column("response_preview", String(1000), nullable=True))
