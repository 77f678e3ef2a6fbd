"""Whose the objects are that have the names of children: what is not ours is never written to.

PersistentVolumeClaims are the exception: one that is there under the name is adopted, whoever has made it, because it
holds the data that its TrackingServer is about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from tracking_operator.resource import names
from tracking_operator.resource.kinds import CRON_JOB, VOLUME_CLAIM, Manifest, Ref, ref_of
from tracking_operator.resource.spec import TrackingServer

Owner: TypeAlias = Literal["Ours", "Predecessor", "Stranger"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ownership:
    children: Mapping[Ref, Manifest | None]
    """What is ours; None when there is nothing, or nothing of ours."""
    pods: tuple[Manifest, ...]
    """Ours."""
    taken: tuple[Ref, ...]
    """Names that are wanted, and that objects of somebody else have."""
    leaving: tuple[Ref, ...]
    """What an earlier TrackingServer of this name has left: the garbage collector takes it, pods end in their time."""


def ownership_of(server: TrackingServer, found: Mapping[Ref, Manifest | None], pods: Iterable[Manifest]) -> Ownership:
    """`found` is what has the names of children; `pods` are all that carry the name of the TrackingServer."""
    there = {ref: live for ref, live in found.items() if live is not None and _is_wanted(server, ref)}
    owners = {ref: _owner_of(live, server) for ref, live in there.items()}
    all_pods = tuple(pods)
    own_pods = tuple(pod for pod in all_pods if _server_uid(pod) == server.metadata.uid)
    old_pods = (ref_of(pod) for pod in all_pods if _server_uid(pod) != server.metadata.uid and _is_living(pod))
    return Ownership(
        children={
            ref: live if live is not None and _owner_of(live, server) == "Ours" else None for ref, live in found.items()
        },
        pods=own_pods,
        taken=tuple(ref for ref, owner in owners.items() if owner == "Stranger"),
        leaving=(*(ref for ref, owner in owners.items() if owner == "Predecessor"), *old_pods),
    )


def _owner_of(live: Mapping[str, Any], server: TrackingServer) -> Owner:
    if live["kind"] == VOLUME_CLAIM.kind:
        return "Ours"
    metadata = live["metadata"]
    labels: Mapping[str, str] = metadata.get("labels") or {}
    owners: Iterable[Mapping[str, Any]] = metadata.get("ownerReferences") or ()
    servers = {owner["uid"] for owner in owners if (owner["kind"], owner["name"]) == (names.KIND, server.metadata.name)}
    is_labelled = labels.get(names.MANAGED_BY_LABEL) == names.FIELD_MANAGER
    if server.metadata.uid in servers or (is_labelled and _server_uid(live) == server.metadata.uid):
        return "Ours"
    return "Predecessor" if servers else "Stranger"


def _is_wanted(server: TrackingServer, ref: Ref) -> bool:
    return ref.kind != CRON_JOB or server.spec.gc is not None


def _is_living(pod: Mapping[str, Any]) -> bool:
    return pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")


def _server_uid(live: Mapping[str, Any]) -> str:
    labels: Mapping[str, str] = live["metadata"].get("labels") or {}
    return labels.get(names.SERVER_UID_LABEL, "")
