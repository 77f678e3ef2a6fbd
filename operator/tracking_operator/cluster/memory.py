"""A cluster in memory: the part of an API server's behaviour that the operator relies on.

Tests and `trackplane-operator local` reconcile against it. Nothing runs in it by itself: whoever plays the part of the
controllers and of the kubelet (a script in a test, local processes) looks at `objects`, is told of changes through
`subscribe`, and answers through `set_status`, `put` and `remove`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tracking_operator.cluster.server_side_apply import copied, fields_in_common, merged_fields
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import DEPLOYMENT, JOB, POD, VOLUME_CLAIM, Kind, Manifest, Ref, ref_of
from tracking_operator.resource.names import SERVER_UID_LABEL

_SET_BY_THE_SERVER: Final = ("uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp")
_RETRY_SECONDS: Final = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request that may change something, as an audit log would show it."""

    verb: str
    ref: Ref
    subresource: str = ""
    changed: bool


@dataclass(kw_only=True, slots=True)
class _Stored:
    manifest: Manifest
    applied: Manifest = field(default_factory=dict[str, Any])
    """The fields that the operator owns: what it applied last, without what others have changed since."""
    applied_status: Manifest = field(default_factory=dict[str, Any])


class MemoryCluster:
    """Implements `cluster.client.Cluster`. The methods that are not part of it play everybody else in a cluster."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._stored: dict[Ref, _Stored] = {}
        self._last_version = 0
        self._last_uid = 0
        self._subscribers: list[Callable[[Ref], None]] = []
        self.requests: list[Request] = []

    # What the operator asks for.

    async def get(self, ref: Ref) -> Manifest | None:
        return self.find(ref)

    async def get_metadata(self, ref: Ref) -> Manifest | None:
        found = self.find(ref)
        return None if found is None else {key: found[key] for key in ("apiVersion", "kind", "metadata")}

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        return self.objects(kind, namespace, labels=labels)

    async def apply(self, manifest: Manifest) -> Manifest:
        ref = ref_of(manifest)
        stored = self._stored.get(ref)
        wanted = copied({key: value for key, value in manifest.items() if key != "status"})
        if stored is None:
            self._insert(ref, wanted, applied=wanted)
            self._log("apply", ref, changed=True)
            return self._answer(ref)
        merged = merged_fields(wanted, stored.applied, stored.manifest)
        _refuse_immutable(ref, stored.manifest, merged)
        stored.applied = wanted
        self._log("apply", ref, changed=self._update(ref, merged))
        return self._answer(ref, merged)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        ref = ref_of(manifest)
        stored = self._stored.get(ref)
        if stored is None:
            raise NotReadyYet(f"{ref} is gone", delay_seconds=_RETRY_SECONDS)
        status = copied(manifest.get("status", {}))
        merged = {
            **stored.manifest,
            "status": merged_fields(status, stored.applied_status, stored.manifest.get("status", {})),
        }
        stored.applied_status = status
        self._log("apply", ref, "status", changed=self._update(ref, merged))
        return self._answer(ref)

    async def scale(self, ref: Ref, replicas: int) -> None:
        stored = self._stored.get(ref)
        if stored is None:
            raise NotReadyYet(f"{ref} is gone", delay_seconds=_RETRY_SECONDS)
        merged = copied(stored.manifest)
        merged["spec"]["replicas"] = replicas
        self._log("update", ref, "scale", changed=self._update(ref, merged))

    async def create(self, manifest: Manifest) -> Manifest:
        ref = ref_of(manifest)
        stored = self._stored.get(ref)
        if stored is None:
            self._insert(ref, copied(manifest), applied={})
            self._log("create", ref, changed=True)
            return self._answer(ref)
        self._log("create", ref, changed=False)
        if ref.kind == JOB and _server_uid(stored.manifest) and _server_uid(stored.manifest) == _server_uid(manifest):
            return self._answer(ref)
        raise ClusterRefused(f"{ref} exists already", status=409, reason="AlreadyExists")

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        stored = self._stored.get(ref)
        found = stored is not None and uid in (None, stored.manifest["metadata"]["uid"])
        self._log("delete", ref, changed=found)
        if found:
            self._begin_deletion(ref)

    # What everybody else does: users, controllers, the kubelet.

    def subscribe(self, changed: Callable[[Ref], None]) -> None:
        """`changed` is called with each object that was made, changed or removed, after the change."""
        self._subscribers.append(changed)

    def find(self, ref: Ref) -> Manifest | None:
        stored = self._stored.get(ref)
        return None if stored is None else copied(stored.manifest)

    def objects(
        self, kind: Kind, namespace: str | None = None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        wanted = (labels or {}).items()
        refs = sorted(
            (ref for ref in self._stored if ref.kind == kind and namespace in (None, ref.namespace)),
            key=lambda ref: (ref.namespace, ref.name),
        )
        found = (self._stored[ref].manifest for ref in refs)
        return tuple(copied(one) for one in found if wanted <= one["metadata"].get("labels", {}).items())

    def put(self, manifest: Manifest) -> Manifest:
        """Creates the object or replaces all of it but its status: `kubectl create` and `kubectl replace`."""
        ref = ref_of(manifest)
        stored = self._stored.get(ref)
        wanted = copied(manifest)
        if stored is None:
            self._insert(ref, wanted, applied={})
            return self._answer(ref)
        if "status" not in wanted and "status" in stored.manifest:
            wanted["status"] = copied(stored.manifest["status"])
        _refuse_immutable(ref, stored.manifest, wanted)
        stored.applied = fields_in_common(stored.applied, wanted)
        self._update(ref, wanted)
        return self._answer(ref, wanted)

    def set_status(self, ref: Ref, status: Mapping[str, Any]) -> None:
        """Replaces the status, as a controller or the kubelet does."""
        stored = self._stored[ref]
        stored.applied_status = fields_in_common(stored.applied_status, status)
        self._update(ref, {**stored.manifest, "status": copied(dict(status))})

    def remove(self, ref: Ref) -> None:
        """The object is gone now, whatever held it; and so, in their way, are those that it owned."""
        stored = self._stored.pop(ref, None)
        if stored is None:
            return
        self._changed(ref)
        uid = stored.manifest["metadata"]["uid"]
        for other in tuple(self._stored):
            kept = self._stored.get(other)
            if kept is not None and _is_orphan(kept.manifest, uid):
                self._begin_deletion(other)

    # Inside.

    def _begin_deletion(self, ref: Ref) -> None:
        """Finalizers hold an object, and a pod that runs is held until its kubelet has ended it."""
        metadata = self._stored[ref].manifest["metadata"]
        if metadata.get("finalizers") or _is_running_pod(ref, self._stored[ref].manifest):
            if "deletionTimestamp" not in metadata:
                metadata["deletionTimestamp"] = self._timestamp()
                self._bump(ref)
            return
        self.remove(ref)

    def _insert(self, ref: Ref, manifest: Manifest, *, applied: Manifest) -> None:
        self._last_uid += 1
        stored = _Stored(manifest=copied(manifest), applied=copied(applied))
        stored.manifest["metadata"] = {
            **stored.manifest["metadata"],
            "uid": f"00000000-0000-4000-8000-{self._last_uid:012x}",
            "generation": 1,
            "creationTimestamp": self._timestamp(),
        }
        self._stored[ref] = stored
        self._bump(ref)

    def _update(self, ref: Ref, manifest: Manifest) -> bool:
        """Returns whether anything was changed. What only the API server writes is kept as it was."""
        stored = self._stored[ref]
        before = stored.manifest
        after = {**manifest, "metadata": dict(manifest["metadata"])}
        for key in _SET_BY_THE_SERVER:
            after["metadata"].pop(key, None)
            if key in before["metadata"]:
                after["metadata"][key] = before["metadata"][key]
        if after == before:
            return False
        if _content(after) != _content(before):
            after["metadata"]["generation"] += 1
        stored.manifest = after
        if "deletionTimestamp" in after["metadata"] and not after["metadata"].get("finalizers") and ref.kind != POD:
            self.remove(ref)
        else:
            self._bump(ref)
        return True

    def _bump(self, ref: Ref) -> None:
        self._last_version += 1
        self._stored[ref].manifest["metadata"]["resourceVersion"] = str(self._last_version)
        self._changed(ref)

    def _changed(self, ref: Ref) -> None:
        for changed in self._subscribers:
            changed(ref)

    def _log(self, verb: str, ref: Ref, subresource: str = "", *, changed: bool) -> None:
        self.requests.append(Request(verb=verb, ref=ref, subresource=subresource, changed=changed))

    def _answer(self, ref: Ref, last: Manifest | None = None) -> Manifest:
        """`last` is answered when the request took off the last finalizer, and with it the object."""
        stored = self._stored.get(ref)
        answer: Manifest = copied(last or {} if stored is None else stored.manifest)
        return answer

    def _timestamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _content(manifest: Mapping[str, Any]) -> Manifest:
    """What the generation counts the changes of."""
    return {key: value for key, value in manifest.items() if key not in ("metadata", "status")}


def _refuse_immutable(ref: Ref, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    fixed: tuple[str, ...] = ()
    if ref.kind == DEPLOYMENT:
        fixed = ("selector",)
    elif ref.kind == JOB:
        fixed = ("selector", "template", "completions")
    elif ref.kind == VOLUME_CLAIM:
        fixed = ("accessModes", "storageClassName", "volumeMode", "selector")
    for name in fixed:
        if before["spec"].get(name) != after["spec"].get(name):
            message = f"{ref} is invalid: spec.{name}: field is immutable"
            raise ClusterRefused(message, status=422, reason="Invalid")


def _server_uid(manifest: Mapping[str, Any]) -> str:
    return str(manifest["metadata"].get("labels", {}).get(SERVER_UID_LABEL, ""))


def _is_orphan(manifest: Mapping[str, Any], uid: str) -> bool:
    owners = [owner["uid"] for owner in manifest["metadata"].get("ownerReferences", ())]
    return owners == [uid]


def _is_running_pod(ref: Ref, manifest: Mapping[str, Any]) -> bool:
    return ref.kind == POD and manifest.get("status", {}).get("phase") in ("Pending", "Running")
