"""The pods of a TrackingServer, the server's and the Jobs': one container, locked down, with the volumes it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, assert_never

from tracking_operator.desired.artifact_store import SecretFile, pod_labels
from tracking_operator.desired.commands import Command
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import PodVolume, mount_path, pod_volumes
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import EnvFromSecret, EnvValue, EnvVar, SecurityContext, TrackingServer

HTTP_PORT_NAME: Final = "http"
TEMPORARY_VOLUME: Final = "tmp"


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """What one pod is for: a command in an image, with some of the volumes and of the Secrets' keys as files.

    `extra` holds ports and probes.
    """

    name: str
    image: str
    command: Command
    volumes: tuple[str, ...]
    secret_files: tuple[SecretFile, ...] = ()
    extra: Manifest = field(default_factory=dict[str, object])


@dataclass(frozen=True, kw_only=True, slots=True)
class Anywhere:
    """Wherever the user's own placement allows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnNode:
    """On the node where a volume that the pod needs is in use."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BesideServer:
    """On a node where a pod of the server runs, whichever that is when the pod starts."""


Placement = Anywhere | OnNode | BesideServer


def pod_template(
    server: TrackingServer,
    component: str,
    container: Container,
    places: Places,
    *,
    placement: Placement,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    template = server.spec.template
    mounted = tuple(volume for volume in pod_volumes(server) if volume.name in container.volumes)
    metadata: Manifest = {
        "labels": {
            **template.labels,
            **pod_labels(server),
            **names.labels(server.metadata.name, server.metadata.uid, component),
        }
    }
    if template.annotations or annotations:
        metadata["annotations"] = {**template.annotations, **(annotations or {})}
    spec: Manifest = {
        "serviceAccountName": server.metadata.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": _pod_security(template.security_context),
        "containers": [_container(server, container, mounted, places)],
        "volumes": [
            *({"name": volume.name, "persistentVolumeClaim": {"claimName": volume.claim}} for volume in mounted),
            *(_secret_volume(file) for file in container.secret_files),
            {"name": TEMPORARY_VOLUME, "emptyDir": {}},
        ],
    }
    if server.spec.image_pull_secrets:
        spec["imagePullSecrets"] = [{"name": name} for name in server.spec.image_pull_secrets]
    if template.node_selector:
        spec["nodeSelector"] = dict(template.node_selector)
    if template.tolerations:
        spec["tolerations"] = [dict(toleration) for toleration in template.tolerations]
    affinity = _affinity(server, placement)
    if affinity:
        spec["affinity"] = affinity
    return {"metadata": metadata, "spec": spec}


def _container(
    server: TrackingServer, container: Container, mounted: tuple[PodVolume, ...], places: Places
) -> Manifest:
    manifest: Manifest = {
        "name": container.name,
        "image": container.image,
        "env": [_env_var(variable) for variable in container.command.env],
        "resources": dict(server.spec.template.resources),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePath": places.report,
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            *({"name": volume.name, "mountPath": mount_path(volume, places)} for volume in mounted),
            *(
                {"name": file.name, "mountPath": f"{places.secrets}/{file.name}", "readOnly": True}
                for file in container.secret_files
            ),
            {"name": TEMPORARY_VOLUME, "mountPath": places.temporary},
        ],
        **container.extra,
    }
    if container.command.argv:
        manifest["command"] = list(container.command.argv)
    if container.command.args:
        manifest["args"] = list(container.command.args)
    if server.spec.image_pull_policy is not None:
        manifest["imagePullPolicy"] = server.spec.image_pull_policy
    return manifest


def _secret_volume(file: SecretFile) -> Manifest:
    items = [{"key": file.secret_key.key, "path": file.file}]
    return {"name": file.name, "secret": {"secretName": file.secret_key.name, "items": items}}


def _env_var(variable: EnvVar) -> Manifest:
    match variable:
        case EnvValue(name=name, value=value):
            return {"name": name, "value": value}
        case EnvFromSecret(name=name, secret_key_ref=reference):
            return {"name": name, "valueFrom": {"secretKeyRef": {"name": reference.name, "key": reference.key}}}
        case _ as never:
            assert_never(never)


def _pod_security(wanted: SecurityContext) -> Manifest:
    """An id that is not given is left to the platform (OpenShift has one per namespace). Root is always refused."""
    context: Manifest = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    if wanted.run_as_user is not None:
        context["runAsUser"] = wanted.run_as_user
    if wanted.run_as_group is not None:
        context["runAsGroup"] = wanted.run_as_group
    if wanted.fs_group is not None:
        context["fsGroup"] = wanted.fs_group
        context["fsGroupChangePolicy"] = "OnRootMismatch"
    return context


def _affinity(server: TrackingServer, placement: Placement) -> Manifest:
    """A pod that follows a volume needs no other affinity: the pod that uses the volume has met the user's already."""
    match placement:
        case Anywhere():
            return dict(server.spec.template.affinity)
        case OnNode(name=node):
            pin: Manifest = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
            return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [pin]}}}
        case BesideServer():
            near: Manifest = {
                "labelSelector": {"matchLabels": names.selector(server.metadata.name)},
                "topologyKey": "kubernetes.io/hostname",
            }
            return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [near]}}
        case _ as never:
            assert_never(never)
