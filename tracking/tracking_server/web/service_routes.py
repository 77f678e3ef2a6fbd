"""The rows of the table that are about the server itself."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

import msgspec
from sqlalchemy import literal, select

from tracking_server.services.context import Context
from tracking_server.services.presigned import Abilities
from tracking_server.web.route import JSON, Fixed, Probe, Row

MLFLOW_VERSION: Final = "3.17.2"
"""The release of MLflow whose API this is. The client compares it with its own."""

READY_BUDGET_SECONDS: Final = 2.0


def server_info(abilities: Abilities) -> Mapping[str, object]:
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": abilities.parts,
        "multipart_downloads_enabled": abilities.downloads,
        "presigned_upload_run_id_supported": abilities.own_roots,
        "presigned_upload_model_id_supported": abilities.own_roots,
        "features_enabled": {"gateway": False},
        "trackplane": {"version": version("trackplane"), "mlflow_version": MLFLOW_VERSION},
    }


def check_database(context: Context) -> None:
    """Raises TemporarilyUnavailable when the database does not answer."""
    with context.database.read() as connection:
        connection.execute(select(literal(1)))


def service_rows(abilities: Abilities) -> tuple[Row, ...]:
    info = msgspec.json.encode(server_info(abilities))
    return (
        Fixed(path="/health", body=b"OK", is_for_probes=True),
        Fixed(path="/version", body=MLFLOW_VERSION.encode(), is_for_probes=True),
        Fixed(path="/livez", body=b"OK", is_for_probes=True),
        Probe(path="/readyz", check=check_database, budget_seconds=READY_BUDGET_SECONDS),
        Fixed(path="/api/3.0/mlflow/server-info", body=info, content_type=JSON),
    )
