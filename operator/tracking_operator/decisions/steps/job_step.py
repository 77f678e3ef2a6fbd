"""What all steps that are done by a Job have in common: find the Job or make it, wait for it, understand its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from tracking_operator.decisions.actions import Action, Apply, Create, Delete
from tracking_operator.decisions.observed import (
    CONFIG_PROBLEMS,
    IMAGE_PROBLEMS,
    START_PROBLEMS,
    UNSCHEDULABLE,
    Job,
    Problem,
)
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.progress import POLL_SECONDS, Done, Failed, Progress, Working
from tracking_operator.desired.job import NO_SUCH_PROGRAM_EXIT_CODES
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE, can_be_shared_between_nodes, pod_volumes
from tracking_operator.resource import names
from tracking_operator.resource.conditions import ConditionType, Reason
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import ExternalDatabase

FIRST_RETRY: Final = timedelta(seconds=10)
LONGEST_RETRY: Final = timedelta(seconds=120)
STUCK_SECONDS: Final = 120.0
"""How long a pod may be kept from starting by its image or its configuration, while nothing serves."""
UNSCHEDULABLE_SECONDS: Final = 600.0

NOT_OURS_EXIT_CODES: Final = frozenset({2, *NO_SUCH_PROGRAM_EXIT_CODES})
"""Of an image that does not know the command; 2 is a usage error."""

HEALS: Final = frozenset({Reason.DATABASE_UNREACHABLE, Reason.LOCK_BUSY})
_SHARED_REASONS: Final[Mapping[str, Reason]] = {
    str(reason): reason for reason in (Reason.DATABASE_UNREACHABLE, Reason.LOCK_BUSY, Reason.CONFIG_INVALID)
}
"""Reasons of a report that mean the same in every step."""
_NO_HARM_EXIT_CODES: Final = frozenset({11, 12})
"""DatabaseUnreachable, LockBusy: the command ended before it changed anything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobOfStep:
    """`build` makes the manifest, given the node that the Job has to run on, if any."""

    component: str
    name: str
    build: Callable[[str | None], Manifest]
    running: Reason
    failed: Reason
    doing: str
    """What it does, for a message: `looks at the database`."""
    archive: str = ""


def take_job(situation: Situation, step: JobOfStep) -> Progress:
    job = next((job for job in situation.observed.jobs if job.ref.name == step.name), None)
    if job is None:
        return _make(situation, step)
    match job.state:
        case "Succeeded":
            return Done(job=job)
        case "Failed" | "Stopped":
            return failure_of(situation, job, step.failed)
        case "Running":
            return _await(situation, job, step)


def failure_of(situation: Situation, job: Job, otherwise: Reason) -> Failed:
    """What the end of a Job means: its own report says more than Kubernetes does."""
    report = job.report
    reason = otherwise
    if report is not None and not report.is_success:
        reason = _SHARED_REASONS.get(report.reason, otherwise)
    words = job.stopped or (report.message if report is not None else "") or job.failure or "it gave no report"
    if reason == Reason.DATABASE_UNREACHABLE:
        words += f". Look at the database, and at what {database_field(situation)} names; it is tried again by itself"
    return Failed(
        reason=reason,
        message=f"Job {job.ref.name}: {words}",
        needs_person=reason not in HEALS,
        retry_at=_retry_at(situation, job) if reason in HEALS else None,
        job=job,
    )


def database_field(situation: Situation) -> str:
    """The field of the spec that says where the database is."""
    if isinstance(situation.server.spec.database, ExternalDatabase):
        return "spec.database.uriSecretRef"
    return "spec.database"


def changed_nothing(job: Job) -> bool:
    """Each of its pods ended before it touched the database."""
    return bool(job.pods) and job.exit_codes <= _NO_HARM_EXIT_CODES


def retry_time(situation: Situation, job: Job, since: datetime) -> datetime:
    """The longer it has been failing, the longer the wait: it doubles, without a counter that could be lost."""
    finished_at = job.finished_at or situation.now
    return finished_at + min(max(finished_at - since, FIRST_RETRY), LONGEST_RETRY)


def seconds_until(situation: Situation, moment: datetime) -> float:
    return max((moment - situation.now).total_seconds(), 1.0)


def condition_since(situation: Situation, condition: ConditionType, status: str) -> datetime | None:
    """Since when the last pass reported the condition with this status; None when it did not."""
    for one in situation.observed.status.get("conditions") or ():
        if one["type"] == condition and one["status"] == status:
            return datetime.fromisoformat(one["lastTransitionTime"])
    return None


def explain(problem: Problem) -> str:
    """For a person: what keeps a pod from starting."""
    if problem.reason == UNSCHEDULABLE:
        return f"no node takes its pod: {problem.message}"
    return f"its pod cannot start ({problem.reason}): {problem.message}"


def reason_of_problem(problem: Problem) -> Reason | None:
    """None when it may yet pass."""
    if problem.reason in IMAGE_PROBLEMS | START_PROBLEMS:
        return Reason.IMAGE_UNUSABLE
    if problem.reason in CONFIG_PROBLEMS:
        return Reason.KEY_MISSING
    return None


def hindrance(situation: Situation, working: Working, job: Job, problem: Problem, field: str) -> Progress:
    """What keeps the pod of a check from starting. The Job goes on by itself when the image or the key appears.

    `field` of the spec names the Secrets that the pod reads.
    """
    words = f"Job {job.ref.name}: {explain(problem)}"
    if problem.reason in CONFIG_PROBLEMS:
        message = f"{words}. Add the key that {field} names to its Secret, or correct the field"
        return Failed(reason=Reason.KEY_MISSING, message=message, needs_person=False, job=job)
    reason = reason_of_problem(problem)
    if reason is None:
        return working
    message = f"{words}. Make image {situation.image} available, or correct spec.image"
    return Failed(reason=reason, message=message, job=job)


def not_a_server(situation: Situation, failed: Failed, job: Job) -> Failed:
    message = f"{failed.message}. Image {situation.image} is not that of a tracking server: correct spec.image"
    return with_retry(situation, replace(failed, reason=Reason.IMAGE_UNUSABLE, message=message), job)


def with_retry(situation: Situation, failed: Failed, job: Job) -> Failed:
    """An image under the same name may be mended, a pod may have been out of memory, a bucket may be opened to us."""
    since = condition_since(situation, ConditionType.STALLED, "True") or job.created_at
    return replace(failed, retry_at=retry_time(situation, job, since))


def node_of_volume(situation: Situation) -> str | None:
    """Where a volume that a Job mounts is in use, when it cannot be mounted on a second node."""
    bound = any(
        volume.name in (DATABASE, BACKUPS) and not can_be_shared_between_nodes(situation.server, volume.volume)
        for volume in pod_volumes(situation.server)
    )
    if not bound:
        return None
    users = (pod for pod in situation.observed.pods if pod.is_living and pod.node)
    return next((pod.node for pod in users if pod.component in (names.SERVER, names.GC)), None)


def _make(situation: Situation, step: JobOfStep) -> Working:
    if any(pod.component == step.component and pod.is_living for pod in situation.observed.pods):
        message = f"The pod of an earlier {step.component} Job is being ended, before Job {step.name} {step.doing}"
        return Working(reason=step.running, message=message)
    node = node_of_volume(situation)
    manifest = step.build(node)
    annotations = {
        names.TARGET_ANNOTATION: situation.target,
        names.ATTEMPT_ANNOTATION: situation.attempt,
        names.PLAN_ANNOTATION: situation.plan,
        names.WINDOW_ANNOTATION: situation.window,
        names.ARCHIVE_ANNOTATION: step.archive,
        names.NODE_ANNOTATION: node or "",
    }
    metadata = manifest["metadata"]
    metadata["annotations"] = {**metadata.get("annotations", {}), **{k: v for k, v in annotations.items() if v}}
    return Working(reason=step.running, message=f"Job {step.name} {step.doing}", actions=(Create(manifest=manifest),))


def _await(situation: Situation, job: Job, step: JobOfStep) -> Working:
    message = f"Job {job.ref.name} {step.doing}"
    wait_seconds = POLL_SECONDS
    actions: tuple[Action, ...] = ()
    if not job.has_started and job.node and job.node != node_of_volume(situation):
        # The node that it was bound to is not where the volume is any more: it would wait for ever.
        return Working(
            reason=step.running, message=message, job=job, actions=(Delete(ref=job.ref, uid=job.uid),), wait_seconds=1
        )
    if not job.has_started and job.problem is not None:
        message = f"Job {job.ref.name} waits: {explain(job.problem)}"
        stuck_at = _stuck_at(job, job.problem)
        if step.component in (names.HOOK, names.BACKUP, names.VERIFY):
            wait_seconds = min(wait_seconds, seconds_until(situation, stuck_at))
            if situation.now >= stuck_at:
                actions = (Apply(manifest=_stopped(job, explain(job.problem))),)
    return Working(reason=step.running, message=message, job=job, actions=actions, wait_seconds=wait_seconds)


def _stuck_at(job: Job, problem: Problem) -> datetime:
    limit = UNSCHEDULABLE_SECONDS if problem.reason == UNSCHEDULABLE else STUCK_SECONDS
    return job.created_at + timedelta(seconds=limit)


def _stopped(job: Job, why: str) -> Manifest:
    """Suspends a Job that cannot start, and writes down why: it must not start later, when something serves again."""
    return {
        "apiVersion": job.ref.kind.api_version,
        "kind": job.ref.kind.kind,
        "metadata": {
            "name": job.ref.name,
            "namespace": job.ref.namespace,
            "annotations": {names.STOPPED_ANNOTATION: why},
        },
        "spec": {"suspend": True},
    }


def _retry_at(situation: Situation, job: Job) -> datetime:
    since = condition_since(situation, ConditionType.DATABASE_REACHABLE, "False")
    return retry_time(situation, job, since or job.created_at)
