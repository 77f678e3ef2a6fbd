"""The volumes of a TrackingServer: which there are, what claims them, and where a process finds them."""

from dataclasses import dataclass
from typing import Final, assert_never

from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.places import Places
from tracking_operator.resource import names
from tracking_operator.resource.kinds import VOLUME_CLAIM, Manifest
from tracking_operator.resource.spec import (
    ExistingClaim,
    Sqlite,
    TrackingServer,
    Volume,
    VolumeClaimTemplate,
    VolumeStore,
)

DATABASE: Final = "database"
ARTIFACTS: Final = "artifacts"
BACKUPS: Final = "backups"


@dataclass(frozen=True, kw_only=True, slots=True)
class PodVolume:
    """A volume as a pod sees it; `name` is one of the three above."""

    name: str
    claim: str
    volume: Volume


def pod_volumes(server: TrackingServer) -> tuple[PodVolume, ...]:
    """Every volume that the spec asks for, in a fixed order."""
    name, spec = server.metadata.name, server.spec
    found: list[PodVolume] = []
    if isinstance(spec.database, Sqlite):
        found.append(_pod_volume(DATABASE, spec.database.volume, names.database_claim(name)))
    if isinstance(spec.artifacts.store, VolumeStore):
        found.append(_pod_volume(ARTIFACTS, spec.artifacts.store.volume, names.artifacts_claim(name)))
    if spec.upgrade.backup.required != "Never":
        found.append(_pod_volume(BACKUPS, spec.upgrade.backup.method.volume, names.backups_claim(name)))
    return tuple(found)


def mount_path(volume: PodVolume, places: Places) -> str:
    return {DATABASE: places.database, ARTIFACTS: places.artifacts, BACKUPS: places.backups}[volume.name]


def can_be_shared_between_nodes(server: TrackingServer, volume: Volume) -> bool:
    """Whether pods on several nodes can mount it at once. Of somebody else's claim only the user's wish is known."""
    match volume:
        case VolumeClaimTemplate(access_modes=modes):
            return "ReadWriteMany" in modes
        case ExistingClaim():
            return server.spec.replicas > 1
        case _ as never:
            assert_never(never)


def volume_claims(server: TrackingServer) -> tuple[Manifest, ...]:
    """The claims that the operator makes. Only `deletion.policy: Delete` lets them go with their TrackingServer."""
    return tuple(
        _volume_claim(server, volume.claim, volume.volume)
        for volume in pod_volumes(server)
        if isinstance(volume.volume, VolumeClaimTemplate)
    )


def _pod_volume(name: str, volume: Volume, own_claim: str) -> PodVolume:
    claim = volume.name if isinstance(volume, ExistingClaim) else own_claim
    return PodVolume(name=name, claim=claim, volume=volume)


def _volume_claim(server: TrackingServer, name: str, template: VolumeClaimTemplate) -> Manifest:
    spec: Manifest = {
        "accessModes": list(template.access_modes),
        "resources": {"requests": {"storage": template.storage}},
    }
    if template.storage_class_name is not None:
        spec["storageClassName"] = template.storage_class_name
    return {
        "apiVersion": VOLUME_CLAIM.api_version,
        "kind": VOLUME_CLAIM.kind,
        "metadata": child_metadata(
            server,
            name,
            names.SERVER,
            is_owned=server.spec.deletion.policy == "Delete",
            labels=template.labels,
            annotations=template.annotations,
        ),
        "spec": spec,
    }
