"""What all Jobs have in common: they run once, answer through the report in their pod, and are kept until replaced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tracking_operator.desired.artifact_store import SecretFile
from tracking_operator.desired.commands import Command
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.places import Places
from tracking_operator.desired.pod_template import Anywhere, Container, OnNode, Placement, pod_template
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

RETRIES: Final = 3
"""Of a pod that was killed, or that could not reach the database. Kubernetes waits 10, 20, 40 seconds in between."""

TERMINAL_EXIT_CODES: Final = (2, 10, 13, 14, 15, 16)
"""Again would end alike: usage, ConfigInvalid, SchemaUnsupported, and a failed migration, backup or restore."""
NO_SUCH_PROGRAM_EXIT_CODES: Final = (126, 127, 128)
"""Of an image that has no such program: not executable, not found, not started."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What the pod of a Job does, and with which of the volumes."""

    component: str
    image: str
    command: Command
    volumes: tuple[str, ...] = ()
    secret_files: tuple[SecretFile, ...] = ()
    terminal_exit_codes: tuple[int, ...] = TERMINAL_EXIT_CODES


def job(server: TrackingServer, name: str, work: Work, *, places: Places, node: str | None) -> Manifest:
    """`node` is where a volume that the Job mounts is in use, None when none is."""
    placement = Anywhere() if node is None else OnNode(name=node)
    return {
        "apiVersion": kinds.JOB.api_version,
        "kind": kinds.JOB.kind,
        "metadata": child_metadata(server, name, work.component),
        "spec": job_spec(server, work, places=places, placement=placement),
    }


def job_spec(server: TrackingServer, work: Work, *, places: Places, placement: Placement) -> Manifest:
    container = Container(
        name=names.JOB_CONTAINER,
        image=work.image,
        command=work.command,
        volumes=work.volumes,
        secret_files=work.secret_files,
    )
    template = pod_template(server, work.component, container, places, placement=placement)
    template["spec"]["restartPolicy"] = "Never"
    return {
        "backoffLimit": RETRIES,
        "podFailurePolicy": {"rules": _failure_rules(work.terminal_exit_codes)},
        "template": template,
    }


def _failure_rules(terminal_exit_codes: tuple[int, ...]) -> list[Mapping[str, object]]:
    """A terminal exit code fails the Job at once; an evicted pod is no failure at all."""
    evicted = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    if not terminal_exit_codes:
        return [evicted]
    codes = {"containerName": names.JOB_CONTAINER, "operator": "In", "values": list(terminal_exit_codes)}
    return [{"action": "FailJob", "onExitCodes": codes}, evicted]
