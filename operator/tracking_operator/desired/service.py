"""The Service in front of the pods of the server."""

from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.pod_template import HTTP_PORT_NAME
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def service(server: TrackingServer) -> Manifest:
    wanted = server.spec.networking.service
    port: Manifest = {"name": "http", "port": wanted.port, "targetPort": HTTP_PORT_NAME, "protocol": "TCP"}
    if wanted.node_port is not None:
        port["nodePort"] = wanted.node_port
    return {
        "apiVersion": kinds.SERVICE.api_version,
        "kind": kinds.SERVICE.kind,
        "metadata": child_metadata(server, server.metadata.name, names.SERVER, annotations=wanted.annotations),
        "spec": {"type": wanted.type, "selector": names.selector(server.metadata.name), "ports": [port]},
    }


def endpoint(server: TrackingServer) -> str:
    """The address of the server inside the cluster: what `mlflow.set_tracking_uri` takes."""
    metadata = server.metadata
    return f"http://{metadata.name}.{metadata.namespace}.svc:{server.spec.networking.service.port}"
