"""The conditions of a TrackingServer, in the form that kstatus reads.

All are there from the first pass, Unknown when nothing is known; Reconciling and Stalled alone are absent when all is
well. A message names the object and what to do about it, and holds nothing that changes by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from tracking_operator.decisions.observed import CONFIG_PROBLEMS
from tracking_operator.decisions.reports import SchemaReport
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.check import found_schema
from tracking_operator.decisions.steps.job_step import failure_of
from tracking_operator.decisions.steps.migrate import has_just_migrated, last_change
from tracking_operator.decisions.steps.progress import Failed, StepName, Working
from tracking_operator.decisions.verdict import Verdict
from tracking_operator.errors import Fault
from tracking_operator.resource import names
from tracking_operator.resource.conditions import ConditionType, Reason
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import VolumeStore

TrueFalse: TypeAlias = Literal["True", "False", "Unknown"]

ABNORMAL: Final = (ConditionType.RECONCILING, ConditionType.STALLED)
"""Absent when all is well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    type: ConditionType
    status: TrueFalse
    reason: Reason
    message: str


def conditions_of(situation: Situation, verdict: Verdict, *, rolls_out: bool) -> tuple[Condition, ...]:
    """`rolls_out`: the pods that are being started are those of an upgrade."""
    found = (
        _ready(situation, verdict),
        _reconciling(situation, verdict),
        _stalled(verdict),
        _available(situation),
        _references_resolved(situation, verdict),
        _database_reachable(situation, verdict),
        _artifact_store_reachable(situation, verdict),
        _schema_current(situation, verdict),
        _upgrade_in_progress(verdict, rolls_out=rolls_out),
    )
    return tuple(condition for condition in found if condition is not None)


def conditions_of_invalid_spec(faults: Iterable[Fault]) -> tuple[Condition, ...]:
    """What runs is left alone; nothing is known about a wish that cannot be understood."""
    message = "; ".join(str(fault) for fault in faults)
    return (
        _condition(ConditionType.READY, "False", Reason.INVALID_SPEC, message),
        _condition(ConditionType.STALLED, "True", Reason.INVALID_SPEC, message),
    )


def conditions_of_refusal(message: str) -> tuple[Condition, ...]:
    """What the API server refused keeps the spec from being fulfilled; all else is as it was seen last."""
    return (
        _condition(ConditionType.READY, "False", Reason.CLUSTER_REFUSED, message),
        _condition(ConditionType.STALLED, "True", Reason.CLUSTER_REFUSED, message),
    )


def as_manifest(
    conditions: Iterable[Condition], before: Sequence[Mapping[str, Any]], *, generation: int, now: datetime
) -> list[Manifest]:
    """In the order of `ConditionType`. The time of transition changes with the status alone.

    A type that is not among them is kept as it was, and Unknown when it never was; the abnormal ones are dropped.
    """
    given = {condition.type: condition for condition in conditions}
    last = {str(one["type"]): one for one in before}
    written: list[Manifest] = []
    for kind in ConditionType:
        condition = given.get(kind)
        old = last.get(str(kind))
        if condition is None and kind in ABNORMAL:
            continue
        if condition is None and old is not None:
            written.append(dict(old))
            continue
        if condition is None:
            condition = _condition(kind, "Unknown", Reason.NOT_OBSERVED, "Nothing is known about it yet")
        is_same = old is not None and old["status"] == condition.status
        written.append(
            {
                "type": str(condition.type),
                "status": condition.status,
                "reason": str(condition.reason),
                "message": condition.message,
                "observedGeneration": generation,
                "lastTransitionTime": old["lastTransitionTime"] if old is not None and is_same else timestamp(now),
            }
        )
    return written


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _ready(situation: Situation, verdict: Verdict) -> Condition:
    if verdict.stage == "Suspended" and not situation.observed.server_pods:
        message = "spec.suspend is true: no pod of the server runs, the data is kept"
        return _condition(ConditionType.READY, "True", Reason.SUSPENDED, message)
    match verdict.progress:
        case Working(reason=reason, message=message) | Failed(reason=reason, message=message):
            return _condition(ConditionType.READY, "False", reason, message)
        case _ if verdict.stage == "Serving":
            message = f"Deployment {situation.server.metadata.name} runs what the spec asks for"
            return _condition(ConditionType.READY, "True", Reason.ALL_REPLICAS_READY, message)
        case _:
            return _condition(ConditionType.READY, "False", Reason.SUSPENDED, _stopping(situation))


def _reconciling(situation: Situation, verdict: Verdict) -> Condition | None:
    match verdict.progress:
        case Working(reason=reason, message=message):
            return _condition(ConditionType.RECONCILING, "True", reason, message)
        case Failed(reason=reason, message=message, needs_person=False):
            return _condition(ConditionType.RECONCILING, "True", reason, message)
        case _ if verdict.stage == "Suspended" and situation.observed.server_pods:
            return _condition(ConditionType.RECONCILING, "True", Reason.SUSPENDED, _stopping(situation))
        case _:
            return None


def _stalled(verdict: Verdict) -> Condition | None:
    match verdict.progress:
        case Failed(reason=reason, message=message, needs_person=True):
            return _condition(ConditionType.STALLED, "True", reason, message)
        case _:
            return None


def _available(situation: Situation) -> Condition:
    if any(pod.is_ready and not pod.is_deleting for pod in situation.observed.server_pods):
        message = f"At least one pod of Deployment {situation.server.metadata.name} is ready"
        return _condition(ConditionType.AVAILABLE, "True", Reason.MINIMUM_REPLICAS_AVAILABLE, message)
    message = f"No pod of Deployment {situation.server.metadata.name} is ready"
    return _condition(ConditionType.AVAILABLE, "False", Reason.NO_REPLICAS, message)


def _references_resolved(situation: Situation, verdict: Verdict) -> Condition:
    for reference in situation.server.references:
        name = reference.secret_key.name
        if situation.observed.secret_versions.get(name) is None:
            remedy = f"create it with the key {reference.secret_key.key}, or correct the field"
            message = f"{reference.path} names Secret {name}, which does not exist: {remedy}"
            return _condition(ConditionType.REFERENCES_RESOLVED, "False", Reason.NOT_FOUND, message)
    if verdict.reason == Reason.KEY_MISSING:
        return _condition(ConditionType.REFERENCES_RESOLVED, "False", Reason.KEY_MISSING, verdict.message)
    for pod in situation.observed.pods:
        if pod.is_living and pod.problem is not None and pod.problem.reason in CONFIG_PROBLEMS:
            remedy = "Add the key to the Secret, or correct the field of the spec that names it"
            message = f"Pod {pod.name}: {pod.problem.message}. {remedy}"
            return _condition(ConditionType.REFERENCES_RESOLVED, "False", Reason.KEY_MISSING, message)
    message = "Everything that the spec names was found"
    return _condition(ConditionType.REFERENCES_RESOLVED, "True", Reason.RESOLVED, message)


def _database_reachable(situation: Situation, verdict: Verdict) -> Condition | None:
    """The newest Job of the plan knows; a pod that serves what is wanted and is ready knows too."""
    if verdict.reason == Reason.DATABASE_UNREACHABLE:
        return _condition(ConditionType.DATABASE_REACHABLE, "False", Reason.DATABASE_UNREACHABLE, verdict.message)
    serves = situation.serves_target and any(pod.is_ready for pod in situation.observed.server_pods)
    jobs = situation.jobs_of_plan(names.CHECK, names.BACKUP, names.MIGRATE)
    job = next((job for job in reversed(jobs) if job.report is not None), None)
    report = None if job is None else job.report
    if not serves and job is not None and report is not None and report.reason == str(Reason.DATABASE_UNREACHABLE):
        failed = failure_of(situation, job, Reason.DATABASE_UNREACHABLE)
        return _condition(ConditionType.DATABASE_REACHABLE, "False", Reason.DATABASE_UNREACHABLE, failed.message)
    if serves or (report is not None and report.is_success):
        return _condition(ConditionType.DATABASE_REACHABLE, "True", Reason.CONNECTED, "The database answered")
    return None


def _artifact_store_reachable(situation: Situation, verdict: Verdict) -> Condition | None:
    """The newest Job of the plan knows."""
    kind = ConditionType.ARTIFACT_STORE_REACHABLE
    if isinstance(situation.server.spec.artifacts.store, VolumeStore):
        return _condition(kind, "True", Reason.ON_VOLUME, "Artifacts are on a volume")
    if verdict.step == StepName.CHECK_STORE and isinstance(verdict.progress, Failed):
        return _condition(kind, "False", verdict.progress.reason, verdict.message)
    jobs = situation.jobs_of_plan(names.STORE_CHECK)
    if jobs and jobs[-1].state == "Succeeded":
        message = "A file could be written to the artifact store, read, listed and deleted"
        return _condition(kind, "True", Reason.CONNECTED, message)
    return None


def _schema_current(situation: Situation, verdict: Verdict) -> Condition | None:
    schema = found_schema(situation)
    if verdict.stage == "Serving" or (schema is None and has_just_migrated(situation)):
        message = f"The schema is what image {situation.image} needs"
        return _condition(ConditionType.SCHEMA_CURRENT, "True", Reason.UP_TO_DATE, message)
    if schema is not None:
        return _schema(situation, schema)
    change = last_change(situation)
    if verdict.stage == "Suspended":
        return None
    if change is not None and change.target == situation.target:
        message = f"Job {change.ref.name} has not brought the schema to what image {situation.image} needs"
        return _condition(ConditionType.SCHEMA_CURRENT, "False", Reason.MIGRATION_REQUIRED, message)
    message = f"The database is being looked at with image {situation.image}"
    return _condition(ConditionType.SCHEMA_CURRENT, "Unknown", Reason.NOT_OBSERVED, message)


def _schema(situation: Situation, schema: SchemaReport) -> Condition:
    image = situation.image
    match schema.state:
        case "Current":
            message = f"The schema is what image {image} needs"
            return _condition(ConditionType.SCHEMA_CURRENT, "True", Reason.UP_TO_DATE, message)
        case "Empty":
            message = "The database holds no schema yet"
            return _condition(ConditionType.SCHEMA_CURRENT, "False", Reason.EMPTY, message)
        case "Outdated":
            kind = "It only adds to the schema" if schema.is_additive else "It rewrites tables"
            message = f"The schema has to be migrated for image {image}. {kind}"
            return _condition(ConditionType.SCHEMA_CURRENT, "False", Reason.MIGRATION_REQUIRED, message)
        case "Newer":
            message = f"The schema was migrated by a newer version than image {image}"
            return _condition(ConditionType.SCHEMA_CURRENT, "False", Reason.SCHEMA_NEWER_THAN_IMAGE, message)
        case "Foreign":
            message = "The database holds tables that are not those of a tracking server"
            return _condition(ConditionType.SCHEMA_CURRENT, "False", Reason.SCHEMA_FOREIGN, message)


def _upgrade_in_progress(verdict: Verdict, *, rolls_out: bool) -> Condition:
    match verdict.progress:
        case Working(reason=reason, message=message) if verdict.stage == "Working" or rolls_out:
            return _condition(ConditionType.UPGRADE_IN_PROGRESS, "True", reason, message)
        case Failed(reason=reason, message=message) if verdict.stage == "Failed":
            return _condition(ConditionType.UPGRADE_IN_PROGRESS, "False", reason, message)
        case _:
            return _condition(ConditionType.UPGRADE_IN_PROGRESS, "False", Reason.IDLE, "No step of an upgrade runs")


def _stopping(situation: Situation) -> str:
    return f"The pods of Deployment {situation.server.metadata.name} are being stopped"


def _condition(kind: ConditionType, status: TrueFalse, reason: Reason, message: str) -> Condition:
    return Condition(type=kind, status=status, reason=reason, message=message)
