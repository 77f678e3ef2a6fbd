"""The ConfigMap that tells a client what it needs, as environment variables for `envFrom`. Nothing in it is secret."""

from tracking_operator.desired.artifact_store import client_environment
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.service import endpoint
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

TRACKING_URI = "MLFLOW_TRACKING_URI"


def binding(server: TrackingServer) -> Manifest:
    return {
        "apiVersion": kinds.CONFIG_MAP.api_version,
        "kind": kinds.CONFIG_MAP.kind,
        "metadata": child_metadata(server, names.binding(server.metadata.name), names.SERVER),
        "data": {TRACKING_URI: endpoint(server), **client_environment(server)},
    }
