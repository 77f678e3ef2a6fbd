"""The standing children: what is applied to them now, what is left alone, and what has to go."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tracking_operator.decisions.actions import Action, Apply, Delete
from tracking_operator.decisions.drift import amount, differences
from tracking_operator.decisions.situation import Situation
from tracking_operator.desired.bundle import foundation
from tracking_operator.desired.deployment import deployment
from tracking_operator.desired.gc_cron_job import gc_cron_job
from tracking_operator.resource import names
from tracking_operator.resource.kinds import CRON_JOB, DEPLOYMENT, VOLUME_CLAIM, Manifest, Ref, ref_of
from tracking_operator.resource.spec import TrackingServer

_FIXED_CLAIM_FIELDS: Final = ("accessModes", "storageClassName")


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingChildren:
    foundation: tuple[Action, ...]
    workload: tuple[Action, ...]
    refs: tuple[Ref, ...]
    """Those that are there after the actions, in a fixed order."""


def refs_of_children(server: TrackingServer) -> tuple[Ref, ...]:
    """The children that a decision has to see: those that may be wanted, and those that may have to go."""
    metadata = server.metadata
    return (
        *(ref_of(manifest) for manifest in foundation(server)),
        Ref(kind=DEPLOYMENT, namespace=metadata.namespace, name=metadata.name),
        Ref(kind=CRON_JOB, namespace=metadata.namespace, name=names.gc_cron_job(metadata.name)),
    )


def standing_children(situation: Situation, *, applies_workload: bool, suspends_gc: bool) -> StandingChildren:
    """The workload changes only when the schema is known to be right for it."""
    founding = [_kept_claim(situation, manifest) for manifest in foundation(situation.server)]
    working = [_deployment(situation)] if applies_workload else []
    cron_job = _cron_job(situation, applies_workload=applies_workload, suspends_gc=suspends_gc)
    if cron_job is not None:
        working.append(cron_job)
    founding, working = _writable(situation, founding), _writable(situation, working)
    refs = dict.fromkeys(ref_of(manifest) for manifest in (*founding, *working))
    if situation.deployment is not None:
        refs[situation.deployment.ref] = None
    return StandingChildren(
        foundation=_changes(situation, founding),
        workload=(*_changes(situation, working), *_unwanted(situation)),
        refs=tuple(refs),
    )


def _writable(situation: Situation, manifests: Iterable[Manifest]) -> list[Manifest]:
    """What is not ours is left alone, whatever has been decided."""
    others = {*situation.observed.taken, *situation.observed.leaving}
    return [manifest for manifest in manifests if ref_of(manifest) not in others]


def _changes(situation: Situation, manifests: Iterable[Manifest]) -> tuple[Action, ...]:
    applied = (_apply_if_changed(situation, manifest) for manifest in manifests)
    return tuple(action for action in applied if action is not None)


def _deployment(situation: Situation) -> Manifest:
    manifest = deployment(
        situation.server,
        image=situation.image,
        replicas=situation.server.wanted_replicas,
        references=situation.references,
        places=situation.places,
    )
    return _annotated(manifest, names.TARGET_ANNOTATION, situation.target)


def _cron_job(situation: Situation, *, applies_workload: bool, suspends_gc: bool) -> Manifest | None:
    """Between two versions garbage is collected by the one that serves, or not at all."""
    gc, live = situation.server.spec.gc, _live_cron_job(situation)
    if gc is None:
        return None
    image = situation.image
    if not applies_workload:
        if live is None:
            return None
        image = live["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["image"]
    return gc_cron_job(situation.server, gc, image=image, places=situation.places, is_suspended=suspends_gc)


def _unwanted(situation: Situation) -> tuple[Action, ...]:
    live = _live_cron_job(situation)
    if situation.server.spec.gc is not None or live is None:
        return ()
    return (Delete(ref=ref_of(live), uid=live["metadata"]["uid"]),)


def _live_cron_job(situation: Situation) -> Manifest | None:
    metadata = situation.server.metadata
    ref = Ref(kind=CRON_JOB, namespace=metadata.namespace, name=names.gc_cron_job(metadata.name))
    return situation.observed.children.get(ref)


def _kept_claim(situation: Situation, manifest: Manifest) -> Manifest:
    """A claim that is there keeps what nobody can change of it, and is never asked to shrink."""
    live = situation.observed.children.get(ref_of(manifest))
    if manifest["kind"] != VOLUME_CLAIM.kind or live is None:
        return manifest
    fixed = {name: live["spec"][name] for name in _FIXED_CLAIM_FIELDS if name in live["spec"]}
    requests = live["spec"].get("resources", {}).get("requests", {})
    spec: Manifest = {**manifest["spec"], **fixed}
    if amount(requests.get("storage", "0")) > amount(manifest["spec"]["resources"]["requests"]["storage"]):
        spec["resources"] = {"requests": {"storage": requests["storage"]}}
    return {**manifest, "spec": spec}


def _apply_if_changed(situation: Situation, manifest: Manifest) -> Apply | None:
    """None when the object is as it was applied, and nobody has changed a field of ours since."""
    applied = names.job_hash(manifest=manifest)
    marked = _annotated(manifest, names.APPLIED_ANNOTATION, applied)
    live = situation.observed.children.get(ref_of(manifest))
    if live is None:
        return Apply(manifest=marked)
    annotations: Mapping[str, str] = live["metadata"].get("annotations") or {}
    changed = differences(marked, live)
    if annotations.get(names.APPLIED_ANNOTATION) != applied:
        return Apply(manifest=marked)
    return Apply(manifest=marked, drift=changed) if changed else None


def _annotated(manifest: Manifest, name: str, value: str) -> Manifest:
    metadata = manifest["metadata"]
    return {**manifest, "metadata": {**metadata, "annotations": {**metadata.get("annotations", {}), name: value}}}
