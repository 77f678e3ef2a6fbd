"""The rows of the table that are about the server itself."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Final

import msgspec
from sqlalchemy import literal, select

from tracking_server.services.context import Context
from tracking_server.services.presigned import Abilities
from tracking_server.web.route import JSON, Fixed, Probe, Row

MLFLOW_VERSION: Final = "3.17.2"
"""The release of MLflow whose API this is. The client compares it with its own."""

VERSION: Final = "/version"
SERVER_INFO: Final = "/api/3.0/mlflow/server-info"
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


def info_route(abilities: Abilities) -> Fixed:
    return Fixed(path=SERVER_INFO, body=msgspec.json.encode(server_info(abilities)), content_type=JSON)


def probe_rows(check: Callable[[Context], None]) -> tuple[Row, ...]:
    return (
        Fixed(path="/health", body=b"OK", is_for_probes=True),
        Fixed(path="/livez", body=b"OK", is_for_probes=True),
        Probe(path="/readyz", check=check, budget_seconds=READY_BUDGET_SECONDS),
    )


def service_rows(abilities: Abilities) -> tuple[Row, ...]:
    return (
        *probe_rows(check_database),
        Fixed(path=VERSION, body=MLFLOW_VERSION.encode(), is_for_probes=True),
        info_route(abilities),
    )
