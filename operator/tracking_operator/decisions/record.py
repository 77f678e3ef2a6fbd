"""Record: what an upgrade did, for the status. It is read from the Jobs while they are there, and kept when they go."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any, Final, Literal, TypeAlias

from tracking_operator.decisions.conditions import timestamp
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.reports import Revisions, SchemaReport, parse_backup_report, parse_schema_report
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.check import found_schema
from tracking_operator.decisions.steps.migrate import has_migrated
from tracking_operator.decisions.steps.progress import Done, Failed, StepName, Working
from tracking_operator.decisions.upgrade import STEPS
from tracking_operator.decisions.verdict import Verdict
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import VolumeStore

LONGEST_MESSAGE: Final = 4096

StepState: TypeAlias = Literal["Pending", "Running", "Succeeded", "Failed", "Skipped"]

_JOBS_OF_STEPS: Final[Mapping[StepName, str]] = {
    StepName.CHECK: names.CHECK,
    StepName.CHECK_STORE: names.STORE_CHECK,
    StepName.HOOKS: names.HOOK,
    StepName.BACKUP: names.BACKUP,
    StepName.VERIFY: names.VERIFY,
    StepName.MIGRATE: names.MIGRATE,
    StepName.RESTORE: names.RESTORE,
}
_STEPS_OF_QUIET: Final = (StepName.HOOKS, StepName.BACKUP, StepName.VERIFY, StepName.MIGRATE)
_STATES: Final[Mapping[str, StepState]] = {
    "Running": "Running",
    "Succeeded": "Succeeded",
    "Failed": "Failed",
    "Stopped": "Failed",
}


def upgrade_record(situation: Situation, verdict: Verdict) -> Manifest | None:
    """`status.upgrade`. A server at rest keeps the record of the upgrade that brought it there."""
    last: Mapping[str, Any] = situation.observed.status.get("upgrade") or {}
    is_same = last.get("planId") == situation.plan
    if verdict.stage in ("Serving", "Suspended") and not is_same:
        return _closed(situation, verdict, last)
    before = {step["name"]: step for step in last.get("steps") or ()} if is_same else {}
    deployment = situation.deployment
    origin = last.get("from") if is_same else None if deployment is None else deployment.image
    steps = [_step(situation, verdict, name, before.get(str(name)) or {}) for name in StepName]
    record = {
        "planId": situation.plan,
        "step": str(verdict.step or last.get("step") or StepName.CHECK),
        "image": situation.image,
        "from": origin,
        "to": situation.image,
        "steps": [step for step in steps if step is not None],
    }
    return {key: value for key, value in record.items() if value}


def schema_record(situation: Situation) -> Manifest | None:
    """`status.schema`: what the newest check found, moved on by the migration that followed it."""
    schema = found_schema(situation)
    if schema is None and has_migrated(situation):
        checked = _checked_schema(situation)
        schema = None if checked is None else _migrated(checked)
    if schema is None:
        kept: Manifest | None = situation.observed.status.get("schema")
        return kept
    record: Manifest = {"dialect": schema.dialect, "state": schema.state}
    for name, revisions in (("mlflow", schema.mlflow), ("trackplane", schema.trackplane)):
        record[name] = {key: value for key, value in asdict(revisions).items() if value is not None}
    return record


def backup_record(situation: Situation) -> Manifest | None:
    """`status.lastBackup`: the newest backup that was read back."""
    verified = {job.archive for job in situation.observed.jobs_of(names.VERIFY) if job.state == "Succeeded"}
    for job in reversed(situation.observed.jobs_of(names.BACKUP)):
        report = parse_backup_report(job.report) if job.state == "Succeeded" else None
        if report is None or report.path not in verified or job.finished_at is None:
            continue
        record = {
            "path": report.path,
            "job": job.ref.name,
            "completedAt": timestamp(job.finished_at),
            "mlflow": report.mlflow,
            "trackplane": report.trackplane,
            "tables": report.tables,
            "rows": report.rows,
            "sizeBytes": report.size_bytes,
            "sha256": report.sha256,
            "verified": True,
        }
        return {key: value for key, value in record.items() if value is not None}
    kept: Manifest | None = situation.observed.status.get("lastBackup")
    return kept


def _step(situation: Situation, verdict: Verdict, name: StepName, before: Mapping[str, Any]) -> Manifest | None:
    jobs = situation.jobs_of_plan(_JOBS_OF_STEPS[name]) if name in _JOBS_OF_STEPS else ()
    job = jobs[-1] if jobs else None
    state = _state(situation, verdict, name, job, before)
    if name == StepName.RESTORE and state == "Pending":
        return None
    step: Manifest = {"name": str(name), "state": state}
    if job is not None:
        step["job"] = job.ref.name
        step["startedAt"] = timestamp(min(one.created_at for one in jobs))
        if job.finished_at is not None:
            step["finishedAt"] = timestamp(job.finished_at)
    elif state in ("Succeeded", "Failed", "Running"):
        step.update({key: before[key] for key in ("job", "startedAt", "finishedAt") if key in before})
        if name not in _JOBS_OF_STEPS:
            step.setdefault("startedAt", timestamp(situation.now))
            if state == "Succeeded":
                step.setdefault("finishedAt", timestamp(situation.now))
    if state == "Failed" and isinstance(verdict.progress, Failed) and verdict.step == name:
        step["message"] = verdict.message[:LONGEST_MESSAGE]
    elif state == "Failed" and "message" in before:
        step["message"] = before["message"]
    return step


def _state(
    situation: Situation, verdict: Verdict, name: StepName, job: Job | None, before: Mapping[str, Any]
) -> StepState:
    if name == StepName.ROLL_OUT:
        return _state_of_rollout(verdict, before)
    if verdict.step == name and verdict.stage in ("Working", "Failed"):
        return "Failed" if isinstance(verdict.progress, Failed) else "Running"
    if name == StepName.QUIESCE:
        return _state_of_quiesce(situation, verdict, before)
    if job is not None:
        hooks = situation.server.spec.upgrade.hooks.pre_migration
        is_last = name != StepName.HOOKS or job.ref.name.startswith(_hook_prefix(situation, len(hooks) - 1))
        state = _STATES[job.state]
        return "Running" if state == "Succeeded" and not is_last else state
    return _state_without_job(situation, name, before)


def _state_of_rollout(verdict: Verdict, before: Mapping[str, Any]) -> StepState:
    if verdict.stage == "Serving":
        match verdict.progress:
            case Done():
                return "Succeeded"
            case Failed():
                return "Failed"
            case _:
                return "Succeeded" if before.get("state") == "Succeeded" else "Running"
    if verdict.stage == "Working" and verdict.step == StepName.ROLL_OUT:
        return "Running"
    return "Pending"


def _state_of_quiesce(situation: Situation, verdict: Verdict, before: Mapping[str, Any]) -> StepState:
    components = tuple(_JOBS_OF_STEPS[name] for name in _STEPS_OF_QUIET)
    is_past = verdict.stage == "Working" and verdict.step in _STEPS_OF_QUIET and not situation.is_serving
    if is_past or any(job.is_finished for job in situation.jobs_of_plan(*components)):
        return "Succeeded"
    return _state_without_job(situation, StepName.QUIESCE, before)


def _state_without_job(situation: Situation, name: StepName, before: Mapping[str, Any]) -> StepState:
    kept: StepState = before.get("state", "Pending")
    if kept in ("Succeeded", "Failed", "Skipped"):
        return kept
    return "Skipped" if _is_skipped(situation, name) else "Pending"


def _is_skipped(situation: Situation, name: StepName) -> bool:
    """Steps that this upgrade does not have, as far as the check has told."""
    upgrade = situation.server.spec.upgrade
    if name == StepName.CHECK_STORE and isinstance(situation.server.spec.artifacts.store, VolumeStore):
        return True
    if name == StepName.HOOKS and not upgrade.hooks.pre_migration:
        return True
    if name in (StepName.BACKUP, StepName.VERIFY) and upgrade.backup.required == "Never":
        return True
    schema = _checked_schema(situation)
    if schema is None or schema.state in ("Newer", "Foreign") or name == StepName.RESTORE:
        return False
    if schema.state == "Current" and name in (StepName.BACKUP, StepName.VERIFY):
        return upgrade.backup.required != "Always"
    return name not in {step.name for step in STEPS[schema.state]}


def _hook_prefix(situation: Situation, index: int) -> str:
    return names.hook_job(situation.server.metadata.name, index, "")


def _closed(situation: Situation, verdict: Verdict, last: Mapping[str, Any]) -> Manifest | None:
    """The record of an earlier plan, whose roll-out has ended meanwhile."""
    if not last:
        return None
    if verdict.stage != "Serving" or not isinstance(verdict.progress, Done):
        return dict(last)
    steps = [
        {**step, "state": "Succeeded", "finishedAt": timestamp(situation.now)}
        if step["name"] == StepName.ROLL_OUT and step["state"] != "Succeeded"
        else step
        for step in last.get("steps") or ()
    ]
    return {**last, "steps": steps}


def _checked_schema(situation: Situation) -> SchemaReport | None:
    """What the newest check of the plan found, though the schema may have been changed since."""
    checks = situation.jobs_of_plan(names.CHECK)
    return _first(parse_schema_report(job.report) for job in reversed(checks))


def _first(found: Iterable[SchemaReport | None]) -> SchemaReport | None:
    return next((one for one in found if one is not None), None)


def _migrated(schema: SchemaReport) -> SchemaReport:
    return replace(schema, state="Current", mlflow=_at_head(schema.mlflow), trackplane=_at_head(schema.trackplane))


def _at_head(revisions: Revisions) -> Revisions:
    return Revisions(current=revisions.head, head=revisions.head)


def is_rolling_out(record: Mapping[str, Any] | None, verdict: Verdict) -> bool:
    """The pods of an upgrade are being started, and not those of a server that was at rest."""
    steps = (record or {}).get("steps") or ()
    running = any(step["name"] == StepName.ROLL_OUT and step["state"] == "Running" for step in steps)
    return running and isinstance(verdict.progress, Working)
