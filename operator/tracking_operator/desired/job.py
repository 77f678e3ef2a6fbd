"""What all Jobs have in common: they run once, answer through the report in their pod, and are kept until replaced."""

from collections.abc import Mapping
from typing import Final

from tracking_operator.desired.commands import Command, Places
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.pod_template import Anywhere, Container, OnNode, Placement, pod_template
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

RETRIES: Final = 3
"""Of a pod that was killed, or that could not reach the database. Kubernetes waits 10, 20, 40 seconds in between."""

TERMINAL_EXIT_CODES: Final = (2, 10, 13, 14, 15, 16)
"""Again would end alike: usage, ConfigInvalid, SchemaUnsupported, and a failed migration, backup or restore."""


def job(
    server: TrackingServer,
    name: str,
    component: str,
    command: Command,
    *,
    image: str,
    volumes: tuple[str, ...],
    places: Places,
    node: str | None,
) -> Manifest:
    """`node` is where a volume that the Job mounts is in use, None when none is."""
    placement = Anywhere() if node is None else OnNode(name=node)
    return {
        "apiVersion": kinds.JOB.api_version,
        "kind": kinds.JOB.kind,
        "metadata": child_metadata(server, name, component),
        "spec": job_spec(server, component, command, image=image, volumes=volumes, places=places, placement=placement),
    }


def job_spec(
    server: TrackingServer,
    component: str,
    command: Command,
    *,
    image: str,
    volumes: tuple[str, ...],
    places: Places,
    placement: Placement,
) -> Manifest:
    container = Container(name=names.JOB_CONTAINER, image=image, command=command, volumes=volumes)
    template = pod_template(server, component, container, places, placement=placement)
    template["spec"]["restartPolicy"] = "Never"
    return {"backoffLimit": RETRIES, "podFailurePolicy": _failure_policy(), "template": template}


def _failure_policy() -> Mapping[str, object]:
    """An evicted pod is not a failure of the Job; a terminal exit code is one at once."""
    return {
        "rules": [
            {
                "action": "FailJob",
                "onExitCodes": {
                    "containerName": names.JOB_CONTAINER,
                    "operator": "In",
                    "values": list(TERMINAL_EXIT_CODES),
                },
            },
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }
