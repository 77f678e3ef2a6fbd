"""Which Events tell a person what has changed between the last status and this one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tracking_operator.decisions.events import LONGEST_NOTE, EventReason, Report
from tracking_operator.decisions.steps.progress import StepName
from tracking_operator.resource.conditions import ConditionType, Reason
from tracking_operator.resource.kinds import JOB, Manifest, Ref

_STEPS: Final[Mapping[tuple[str, str], EventReason]] = {
    (StepName.CHECK, "Succeeded"): EventReason.PREFLIGHT_PASSED,
    (StepName.CHECK_STORE, "Succeeded"): EventReason.ARTIFACT_STORE_CHECKED,
    (StepName.QUIESCE, "Succeeded"): EventReason.QUIESCED,
    (StepName.HOOKS, "Succeeded"): EventReason.HOOKS_COMPLETED,
    (StepName.BACKUP, "Running"): EventReason.BACKUP_STARTED,
    (StepName.BACKUP, "Succeeded"): EventReason.BACKUP_COMPLETED,
    (StepName.VERIFY, "Succeeded"): EventReason.BACKUP_VERIFIED,
    (StepName.MIGRATE, "Running"): EventReason.MIGRATION_STARTED,
    (StepName.MIGRATE, "Succeeded"): EventReason.MIGRATION_SUCCEEDED,
    (StepName.RESTORE, "Running"): EventReason.RESTORE_STARTED,
    (StepName.RESTORE, "Succeeded"): EventReason.ROLLED_BACK,
    (StepName.ROLL_OUT, "Running"): EventReason.ROLLOUT_STARTED,
    (StepName.ROLL_OUT, "Succeeded"): EventReason.ROLLOUT_COMPLETED,
}
_FAILURES: Final[Mapping[str, EventReason]] = {
    Reason.INVALID_SPEC: EventReason.INVALID_SPEC,
    Reason.NAME_TAKEN: EventReason.NAME_TAKEN,
    Reason.CONFIG_INVALID: EventReason.PREFLIGHT_FAILED,
    Reason.CHECK_FAILED: EventReason.PREFLIGHT_FAILED,
    Reason.IMAGE_UNUSABLE: EventReason.IMAGE_UNUSABLE,
    Reason.SCHEMA_NEWER_THAN_IMAGE: EventReason.SCHEMA_NEWER_THAN_IMAGE,
    Reason.SCHEMA_FOREIGN: EventReason.PREFLIGHT_FAILED,
    Reason.HOOK_FAILED: EventReason.HOOK_FAILED,
    Reason.BACKUP_FAILED: EventReason.BACKUP_FAILED,
    Reason.BACKUP_VERIFY_FAILED: EventReason.BACKUP_VERIFY_FAILED,
    Reason.MIGRATION_FAILED: EventReason.MIGRATION_FAILED,
    Reason.RESTORE_FAILED: EventReason.RESTORE_FAILED,
    Reason.ROLLOUT_FAILED: EventReason.ROLLOUT_STALLED,
    Reason.CLUSTER_REFUSED: EventReason.CLUSTER_REFUSED,
}
_NOTES: Final[Mapping[EventReason, str]] = {
    EventReason.QUIESCED: "No pod of the server runs any more",
    EventReason.ROLLOUT_STARTED: "Pods of the wanted version are being started",
    EventReason.ROLLOUT_COMPLETED: "Every wanted pod is ready",
}


def tell(before: Mapping[str, Any], after: Mapping[str, Any], namespace: str) -> tuple[Report, ...]:
    return (*_steps(before, after, namespace), *_conditions(before, after))


def _steps(before: Mapping[str, Any], after: Mapping[str, Any], namespace: str) -> Iterator[Report]:
    old: Mapping[str, Any] = before.get("upgrade") or {}
    new: Mapping[str, Any] = after.get("upgrade") or {}
    is_same = old.get("planId") == new.get("planId")
    known: Mapping[str, str] = {step["name"]: step["state"] for step in old.get("steps") or ()} if is_same else {}
    for step in new.get("steps") or ():
        name, state = step["name"], step["state"]
        if known.get(name) == state:
            continue
        if name == StepName.MIGRATE and state == "Succeeded" and known.get(name) not in ("Running", "Pending"):
            continue
        reason = _STEPS.get((name, state))
        if reason is not None:
            job = step.get("job")
            related = None if job is None else Ref(kind=JOB, namespace=namespace, name=job)
            note = _NOTES.get(reason, reason.meaning.rstrip("."))
            yield Report(reason=reason, note=f"{note}: Job {job}" if job else note, related=related)


def _conditions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Report]:
    old, new = _by_type(before), _by_type(after)
    stalled = new.get(ConditionType.STALLED)
    if stalled is not None and _differs(old.get(ConditionType.STALLED), stalled):
        yield _warning(_FAILURES.get(stalled["reason"], EventReason.PREFLIGHT_FAILED), stalled)
    references = new.get(ConditionType.REFERENCES_RESOLVED, {})
    if references.get("status") == "False" and _differs(old.get(ConditionType.REFERENCES_RESOLVED), references):
        is_missing_key = references["reason"] == Reason.KEY_MISSING
        yield _warning(EventReason.SECRET_KEY_MISSING if is_missing_key else EventReason.INVALID_REFERENCE, references)
    database = new.get(ConditionType.DATABASE_REACHABLE, {})
    if database.get("status") == "False" and _differs(old.get(ConditionType.DATABASE_REACHABLE), database):
        yield _warning(EventReason.DATABASE_UNREACHABLE, database)
    store = new.get(ConditionType.ARTIFACT_STORE_REACHABLE, {})
    if store.get("status") == "False" and _differs(old.get(ConditionType.ARTIFACT_STORE_REACHABLE), store):
        yield _warning(EventReason.ARTIFACT_STORE_UNREACHABLE, store)
    yield from _schema(old.get(ConditionType.SCHEMA_CURRENT), new.get(ConditionType.SCHEMA_CURRENT, {}))
    yield from _suspension(old.get(ConditionType.READY), new.get(ConditionType.READY, {}))


def _schema(old: Manifest | None, new: Mapping[str, Any]) -> Iterator[Report]:
    if not _differs(old, new):
        return
    if new.get("reason") == Reason.MIGRATION_REQUIRED:
        yield Report(reason=EventReason.UPGRADE_PLANNED, note=_note(new))
    if new.get("reason") == Reason.UP_TO_DATE and old is not None and old["reason"] == Reason.NOT_OBSERVED:
        yield Report(reason=EventReason.NOTHING_TO_MIGRATE, note=_note(new))


def _suspension(old: Manifest | None, new: Mapping[str, Any]) -> Iterator[Report]:
    was, is_now = old is not None and old["reason"] == Reason.SUSPENDED, new.get("reason") == Reason.SUSPENDED
    if is_now and not was:
        yield Report(reason=EventReason.SUSPENDED, note=_note(new))
    if was and not is_now:
        yield Report(reason=EventReason.RESUMED, note=EventReason.RESUMED.meaning)


def _differs(old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> bool:
    return old is None or (old["status"], old["reason"]) != (new.get("status"), new.get("reason"))


def _warning(reason: EventReason, condition: Mapping[str, Any]) -> Report:
    return Report(reason=reason, note=_note(condition))


def _note(condition: Mapping[str, Any]) -> str:
    return str(condition.get("message", ""))[:LONGEST_NOTE]


def _by_type(status: Mapping[str, Any]) -> dict[str, Manifest]:
    return {one["type"]: one for one in status.get("conditions") or ()}
