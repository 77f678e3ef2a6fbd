"""The rows of the table that are about the server itself."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

import msgspec
from sqlalchemy import literal, select

from tracking_server.services.context import Context
from tracking_server.web.route import JSON, Fixed, Probe, Row

MLFLOW_VERSION: Final = "3.17.2"
"""The release of MLflow whose API this is. The client compares it with its own."""

READY_BUDGET_SECONDS: Final = 2.0

_SERVER_INFO: Final[Mapping[str, object]] = {
    "store_type": "SqlStore",
    "workspaces_enabled": False,
    "trace_archival_enabled": False,
    "multipart_uploads_enabled": False,
    "multipart_downloads_enabled": False,
    "presigned_upload_run_id_supported": False,
    "presigned_upload_model_id_supported": False,
    "features_enabled": {"gateway": False},
    "trackplane": {"version": version("trackplane"), "mlflow_version": MLFLOW_VERSION},
}


def check_database(context: Context) -> None:
    """Raises TemporarilyUnavailable when the database does not answer."""
    with context.database.read() as connection:
        connection.execute(select(literal(1)))


SERVICE_ROWS: Final[tuple[Row, ...]] = (
    Fixed(path="/health", body=b"OK", is_for_probes=True),
    Fixed(path="/version", body=MLFLOW_VERSION.encode(), is_for_probes=True),
    Fixed(path="/livez", body=b"OK", is_for_probes=True),
    Probe(path="/readyz", check=check_database, budget_seconds=READY_BUDGET_SECONDS),
    Fixed(path="/api/3.0/mlflow/server-info", body=msgspec.json.encode(_SERVER_INFO), content_type=JSON),
)
