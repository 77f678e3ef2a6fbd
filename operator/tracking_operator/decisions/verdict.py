"""What a rule or a step comes to: what is going on, and what this pass does about it."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tracking_operator.decisions.actions import Action, Delete, Scale
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.check import found_schema
from tracking_operator.decisions.steps.migrate import last_change
from tracking_operator.decisions.steps.progress import Failed, Progress, StepName, Working
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason

Stage: TypeAlias = Literal["Serving", "Suspended", "Working", "Failed"]

JOBS_OF_AN_UPGRADE: Final = (
    names.CHECK, names.STORE_CHECK, names.HOOK, names.BACKUP, names.VERIFY, names.MIGRATE, names.RESTORE,
)  # fmt: skip
_CHECKS: Final = (names.CHECK, names.STORE_CHECK)
"""They change nothing, and can be dropped at any time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    stage: Stage
    step: StepName | None = None
    progress: Progress
    actions: tuple[Action, ...] = ()
    applies_workload: bool = False
    """The Deployment and what goes with it become what the spec asks for: the schema is known to be right for it."""
    suspends_gc: bool = False

    @property
    def reason(self) -> Reason | None:
        return self.progress.reason if isinstance(self.progress, (Working, Failed)) else None

    @property
    def message(self) -> str:
        return self.progress.message if isinstance(self.progress, (Working, Failed)) else ""


def stop_before_migration(
    situation: Situation, step: StepName, failed: Failed, actions: tuple[Action, ...] = ()
) -> Verdict:
    """The schema is as it was: what served before goes on serving, or serves again."""
    returns = return_to_service(situation)
    retries: tuple[Action, ...] = ()
    if not returns and is_due(situation, failed):
        retries = tuple(delete_job(job) for job in situation.jobs_of_plan(*JOBS_OF_AN_UPGRADE) if job.is_finished)
    return Verdict(
        stage="Failed",
        step=step,
        progress=failed,
        actions=(*actions, *returns, *retries),
        suspends_gc=not (situation.is_serving or returns),
    )


def return_to_service(situation: Situation) -> tuple[Action, ...]:
    """Scales back what served, if the schema is still the one that it knows."""
    deployment, wanted = situation.deployment, situation.server.wanted_replicas
    if deployment is None or deployment.replicas > 0 or wanted == 0:
        return ()
    change = last_change(situation)
    if change is not None and change.component == names.MIGRATE:
        if change.state != "Succeeded" or change.target != deployment.target:
            return ()
    elif change is not None and change.state != "Succeeded":
        return ()
    schema = found_schema(situation)
    if situation.serves_target and schema is not None and schema.state != "Current":
        return ()
    return (Scale(ref=deployment.ref, replicas=wanted),)


def stop_server(situation: Situation) -> tuple[Action, ...]:
    deployment = situation.deployment
    return () if deployment is None or deployment.replicas == 0 else (Scale(ref=deployment.ref, replicas=0),)


def is_due(situation: Situation, failed: Failed) -> bool:
    return failed.retry_at is not None and situation.now >= failed.retry_at


def delete_superseded(situation: Situation) -> tuple[Action, ...]:
    """The Jobs of other plans that have ended, or that never began.

    The oldest goes first: a migration that failed must not outlive the one that succeeded after it.
    """
    return tuple(
        delete_job(job)
        for job in situation.observed.jobs_of(*JOBS_OF_AN_UPGRADE)
        if job.plan != situation.plan and (job.is_finished or job.component in _CHECKS or can_be_dropped(job))
    )


def drop_superseded(situation: Situation) -> tuple[Action, ...]:
    """The Jobs of other plans that would stand in the way, and of which nothing is lost."""
    return tuple(
        delete_job(job)
        for job in situation.observed.jobs_of(*_CHECKS, names.HOOK, names.BACKUP, names.VERIFY)
        if job.plan != situation.plan and not job.is_finished and (job.component in _CHECKS or can_be_dropped(job))
    )


def delete_old_checks(situation: Situation) -> tuple[Action, ...]:
    """A check vouches for a server that is about to start: while none is wanted, what it has found gets out of date."""
    return tuple(delete_job(job) for job in situation.jobs_of_plan(*_CHECKS) if job.is_finished)


def can_be_dropped(job: Job) -> bool:
    """Nothing of it has run, and nothing will: it was stopped, or its pod cannot start."""
    return not job.has_started and (job.state == "Stopped" or job.problem is not None)


def delete_job(job: Job) -> Delete:
    return Delete(ref=job.ref, uid=job.uid)
