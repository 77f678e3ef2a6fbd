"""The identity of the pods. It has no permissions on the API server, and no token is mounted."""

from tracking_operator.desired.artifact_store import service_account_annotations
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def service_account(server: TrackingServer) -> Manifest:
    return {
        "apiVersion": kinds.SERVICE_ACCOUNT.api_version,
        "kind": kinds.SERVICE_ACCOUNT.kind,
        "metadata": child_metadata(
            server, server.metadata.name, names.SERVER, annotations=service_account_annotations(server)
        ),
        "automountServiceAccountToken": False,
    }
