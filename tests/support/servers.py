"""TrackingServers for tests: as a person writes them, and parsed."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.resource.spec import TrackingServer

NAME: Final = "demo"
NAMESPACE: Final = "ml"
UID: Final = "0d3f9a52-6a36-4a0c-9a36-0f2f6a1d7e11"

SQLITE: Final[Mapping[str, Any]] = {"sqlite": {"volumeClaimTemplate": {}}}
EXTERNAL: Final[Mapping[str, Any]] = {"uriSecretRef": {"name": "database"}}
VOLUME: Final[Mapping[str, Any]] = {"store": {"volume": {"volumeClaimTemplate": {}}}}
SHARED_VOLUME: Final[Mapping[str, Any]] = {
    "store": {"volume": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteMany"]}}}}
}

BUCKET_SECRET: Final[Mapping[str, Any]] = {"secretRef": {"name": "bucket"}}
S3: Final[Mapping[str, Any]] = {"bucket": "models", "credentials": BUCKET_SECRET}
GCS: Final[Mapping[str, Any]] = {"bucket": "models", "credentials": BUCKET_SECRET}
AZURE: Final[Mapping[str, Any]] = {"account": "acme", "container": "models", "credentials": BUCKET_SECRET}


def a_store(kind: str, fields: Mapping[str, Any], **artifacts: Any) -> dict[str, Any]:
    """`spec.artifacts` on an object store."""
    return {"store": {kind: fields}, **artifacts}


def a_resource(
    *,
    name: str = NAME,
    namespace: str = NAMESPACE,
    uid: str = UID,
    generation: int = 1,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> Manifest:
    """The smallest TrackingServer, on SQLite and volumes, with fields of the spec added or replaced."""
    return {
        "apiVersion": "trackplane.io/v1alpha1",
        "kind": "TrackingServer",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid,
            "generation": generation,
            "annotations": dict(annotations or {}),
        },
        "spec": copy.deepcopy({"database": SQLITE, "artifacts": VOLUME, **spec}),
    }


def a_server(**fields: Any) -> TrackingServer:
    """`a_resource` of the same arguments, parsed."""
    return parse(a_resource(**fields))


def an_external_server(**fields: Any) -> TrackingServer:
    """On a database by URI, with artifacts that pods on several nodes can share."""
    return a_server(**{"database": EXTERNAL, "artifacts": SHARED_VOLUME, **fields})
