"""The metadata that every child has: name, labels, and who owns it."""

from collections.abc import Mapping

from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def child_metadata(
    server: TrackingServer,
    name: str,
    component: str,
    *,
    is_owned: bool = True,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """Our labels win over the given ones. A child that is not owned outlives its TrackingServer."""
    metadata: Manifest = {
        "name": name,
        "namespace": server.metadata.namespace,
        "labels": {**(labels or {}), **names.labels(server.metadata.name, server.metadata.uid, component)},
    }
    if annotations:
        metadata["annotations"] = dict(annotations)
    if is_owned and server.metadata.uid:
        metadata["ownerReferences"] = [owner_reference(server)]
    return metadata


def owner_reference(server: TrackingServer) -> Manifest:
    return {
        "apiVersion": f"{names.GROUP}/{names.VERSION}",
        "kind": names.KIND,
        "name": server.metadata.name,
        "uid": server.metadata.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
