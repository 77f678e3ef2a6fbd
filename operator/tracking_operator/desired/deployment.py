"""The Deployment of the server."""

from typing import Final

from tracking_operator.desired import commands
from tracking_operator.desired.artifact_store import secret_files
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.places import Places
from tracking_operator.desired.pod_template import HTTP_PORT_NAME, Anywhere, Container, pod_template
from tracking_operator.desired.volume_claim import ARTIFACTS, DATABASE, can_be_shared_between_nodes
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import Sqlite, TrackingServer, VolumeStore

LIVE_PATH: Final = "/livez"
READY_PATH: Final = "/readyz"
GRACE_SECONDS: Final = 60
DRAIN_SECONDS: Final = 5
"""How long a pod that is about to stop goes on answering, until every node has heard that it leaves the Service."""


def deployment(server: TrackingServer, *, image: str, replicas: int, references: str, places: Places) -> Manifest:
    """`references` is the hash of the Secrets' versions: a new one rolls the pods."""
    rolls = can_roll(server)
    container = Container(
        name=names.SERVER_CONTAINER,
        image=image,
        command=commands.server_command(server, places),
        volumes=(DATABASE, ARTIFACTS),
        secret_files=secret_files(server),
        extra=_serving(places, drains=rolls),
    )
    annotations = {names.REFERENCES_ANNOTATION: references} if references else {}
    template = pod_template(server, names.SERVER, container, places, placement=Anywhere(), annotations=annotations)
    template["spec"]["terminationGracePeriodSeconds"] = GRACE_SECONDS
    return {
        "apiVersion": kinds.DEPLOYMENT.api_version,
        "kind": kinds.DEPLOYMENT.kind,
        "metadata": child_metadata(server, server.metadata.name, names.SERVER),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": names.selector(server.metadata.name)},
            "strategy": _rolling() if rolls else {"type": "Recreate"},
            "template": template,
        },
    }


def can_roll(server: TrackingServer) -> bool:
    """Whether an old and a new pod may run side by side: never on one SQLite file, nor on a volume of one node."""
    if isinstance(server.spec.database, Sqlite):
        return False
    store = server.spec.artifacts.store
    return not isinstance(store, VolumeStore) or can_be_shared_between_nodes(server, store.volume)


def _rolling() -> Manifest:
    return {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def _serving(places: Places, *, drains: bool) -> Manifest:
    serving: Manifest = {
        "ports": [{"name": HTTP_PORT_NAME, "containerPort": places.port, "protocol": "TCP"}],
        "startupProbe": _probe(LIVE_PATH, period_seconds=2, failures=60),
        "livenessProbe": _probe(LIVE_PATH, period_seconds=10, failures=6),
        "readinessProbe": _probe(READY_PATH, period_seconds=5, failures=2),
    }
    if drains:
        serving["lifecycle"] = {"preStop": {"sleep": {"seconds": DRAIN_SECONDS}}}
    return serving


def _probe(path: str, *, period_seconds: int, failures: int) -> Manifest:
    return {
        "httpGet": {"path": path, "port": HTTP_PORT_NAME},
        "periodSeconds": period_seconds,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
