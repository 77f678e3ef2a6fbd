"""What happens next to a server and its database: the rules that come first, then the steps of an upgrade, in order.

Nothing is remembered between two passes. Each pass reads the Jobs that are there and arrives at the same place, so an
operator that was killed between any two writes goes on where it was. docs/operations/upgrade.md tells it to a person.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from tracking_operator.decisions.actions import Action, Delete, Scale
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.reports import SchemaState
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.backup import back_up, back_up_serving
from tracking_operator.decisions.steps.check import check, found_schema
from tracking_operator.decisions.steps.hooks import run_hooks
from tracking_operator.decisions.steps.job_step import explain, failure_of, seconds_until
from tracking_operator.decisions.steps.migrate import (
    failed_migration,
    failure_of_migration,
    has_just_migrated,
    last_change,
    migrate,
)
from tracking_operator.decisions.steps.progress import Done, Failed, Progress, Skipped, Step, StepName, Working
from tracking_operator.decisions.steps.quiesce import quiesce
from tracking_operator.decisions.steps.restore import has_restored, is_restorable, restore
from tracking_operator.decisions.steps.roll_out import roll_out, watch_rollout
from tracking_operator.decisions.steps.verify import verify, verify_serving
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason

CHECK: Final = Step(name=StepName.CHECK, take=check, needs_quiet=False)
ROLL_OUT: Final = Step(name=StepName.ROLL_OUT, take=roll_out, needs_quiet=True)

STEPS: Final[dict[SchemaState, tuple[Step, ...]]] = {
    "Outdated": (
        CHECK,
        Step(name=StepName.QUIESCE, take=quiesce, needs_quiet=True),
        Step(name=StepName.HOOKS, take=run_hooks, needs_quiet=True),
        Step(name=StepName.BACKUP, take=back_up, needs_quiet=True),
        Step(name=StepName.VERIFY, take=verify, needs_quiet=True),
        Step(name=StepName.MIGRATE, take=migrate, needs_quiet=True),
        ROLL_OUT,
    ),
    "Empty": (
        CHECK,
        Step(name=StepName.QUIESCE, take=quiesce, needs_quiet=True),
        Step(name=StepName.MIGRATE, take=migrate, needs_quiet=True),
        ROLL_OUT,
    ),
    "Current": (
        CHECK,
        Step(name=StepName.BACKUP, take=back_up_serving, needs_quiet=False),
        Step(name=StepName.VERIFY, take=verify_serving, needs_quiet=False),
        ROLL_OUT,
    ),
    "Newer": (CHECK,),
    "Foreign": (CHECK,),
}
"""The steps of an upgrade, by what the check finds in the database."""

DIAGNOSE_AFTER: Final = timedelta(seconds=120)
"""A server that has not been available for so long is looked into: does its database answer?"""

Stage: TypeAlias = Literal["Serving", "Suspended", "Working", "Failed"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What is going on, and what is done about it in this pass."""

    stage: Stage
    step: StepName | None = None
    progress: Progress
    actions: tuple[Action, ...] = ()
    applies_workload: bool = False
    """The Deployment and what goes with it become what the spec asks for: the schema is known to be right for it."""
    suspends_gc: bool = False
    is_restored: bool = False

    @property
    def reason(self) -> Reason | None:
        return self.progress.reason if isinstance(self.progress, (Working, Failed)) else None

    @property
    def message(self) -> str:
        return self.progress.message if isinstance(self.progress, (Working, Failed)) else ""


def decide(situation: Situation) -> Verdict:
    for rule in RULES:
        verdict = rule(situation)
        if verdict is not None:
            return verdict
    return take_steps(situation)


def let_changes_finish(situation: Situation) -> Verdict | None:
    """A migration or a restore that runs is never interrupted, whatever has become of the spec meanwhile."""
    observed = situation.observed
    quiet = tuple(_stop_server(situation))
    for job in observed.jobs_of(names.MIGRATE, names.RESTORE):
        if job.state != "Running" and not job.has_living_pods:
            continue
        step = StepName.MIGRATE if job.component == names.MIGRATE else StepName.RESTORE
        reason = Reason.MIGRATING if job.component == names.MIGRATE else Reason.RESTORING
        message = f"Job {job.ref.name} runs, and is not interrupted"
        actions = quiet
        if job.problem is not None and not job.has_started:
            message = f"Job {job.ref.name} waits: {explain(job.problem)}"
            if job.target != situation.target:
                actions = (*quiet, _delete(job))
        working = Working(reason=reason, message=message, job=job)
        return Verdict(stage="Working", step=step, progress=working, actions=actions, suspends_gc=True)
    for pod in observed.pods:
        if pod.component in (names.MIGRATE, names.RESTORE) and pod.is_living:
            working = Working(reason=Reason.MIGRATING, message=f"Waiting for Pod {pod.name} to end")
            return Verdict(stage="Working", step=StepName.MIGRATE, progress=working, actions=quiet, suspends_gc=True)
    return None


def put_backup_back(situation: Situation) -> Verdict | None:
    """After a migration that failed, if the policy asks for it and there is a backup."""
    migration = failed_migration(situation)
    if migration is None or not is_restorable(situation, migration) or has_restored(situation, migration):
        return None
    progress = restore(situation, migration)
    match progress:
        case Done() | Skipped():
            return None
        case Working(actions=actions):
            return Verdict(stage="Working", step=StepName.RESTORE, progress=progress, actions=actions, suspends_gc=True)
        case Failed(job=job):
            if migration.attempt != situation.attempt:
                return None  # somebody has asked for another attempt: its check says what to make of the database
            actions = (_delete(job),) if job is not None and _is_due(situation, progress) else ()
            by_hand = f"Nothing serves. Put the backup {migration.archive} back by hand, then set the annotation {names.RETRY_ANNOTATION} to a new value"  # noqa: E501  # one message
            said = replace(progress, message=f"{progress.message}. {by_hand}")
            return Verdict(stage="Failed", step=StepName.RESTORE, progress=said, actions=actions, suspends_gc=True)


def stay_suspended(situation: Situation) -> Verdict | None:
    if not situation.server.spec.suspend:
        return None
    # A check vouches for a server that is about to start: one from before a suspension is out of date by its end.
    old_checks = tuple(_delete(job) for job in situation.jobs_of_plan(names.CHECK) if job.is_finished)
    stops = () if situation.serves_target else tuple(_stop_server(situation))
    return Verdict(
        stage="Suspended",
        progress=Done(),
        actions=(*old_checks, *stops),
        applies_workload=situation.serves_target,
        suspends_gc=True,
    )


def hold_after_failed_migration(situation: Situation) -> Verdict | None:
    """One attempt migrates once: nothing more happens until a person asks for another attempt.

    After a restore what served before serves meanwhile; else nothing does.
    """
    migration = failed_migration(situation)
    if migration is None or migration.attempt != situation.attempt:
        return None
    failed = failure_of_migration(situation, migration)
    again = f"Then set the annotation {names.RETRY_ANNOTATION} to a new value, or change spec.image"
    is_restored = has_restored(situation, migration)
    if is_restored:
        state = "The backup is back in place and what served before serves again. Remove the cause of the failure"
    elif migration.archive:
        state = f"Nothing serves. The backup is {migration.archive}: set spec.upgrade.onFailure to RestoreBackup to put it back, or remove the cause of the failure"  # noqa: E501  # one message
    else:
        state = "Nothing serves, and there is no backup. Remove the cause of the failure"
    progress = Failed(reason=failed.reason, message=f"{failed.message}. {state}. {again}", job=migration)
    actions = tuple(_return_to_service(situation)) if is_restored else ()
    return Verdict(
        stage="Failed",
        step=StepName.MIGRATE,
        progress=progress,
        actions=actions,
        suspends_gc=not is_restored,
        is_restored=is_restored,
    )


def keep_serving(situation: Situation) -> Verdict | None:
    """The Deployment is the wanted one: whatever else the spec asks for is applied to it at once."""
    deployment = situation.deployment
    if deployment is None or not situation.serves_target:
        return None
    if deployment.replicas == 0 and situation.server.wanted_replicas > 0:
        return None  # it was stopped: before it starts again, somebody has to look at the database
    change, schema = last_change(situation), found_schema(situation)
    if schema is not None and schema.state != "Current":
        return None
    if change is not None and change.target != situation.target and schema is None:
        return None
    progress = watch_rollout(situation, deployment)
    actions = _superseded(situation)
    if not isinstance(progress, Done):
        progress, diagnosis = _diagnose(situation, progress)
        actions = (*actions, *diagnosis)
    return Verdict(stage="Serving", step=StepName.ROLL_OUT, progress=progress, actions=actions, applies_workload=True)


def find_references(situation: Situation) -> Verdict | None:
    """Every Secret that the server and the upgrade need has to be there before a step is taken."""
    for reference in situation.server.references:
        name = reference.secret_key.name
        if situation.observed.secret_versions.get(name) is None:
            message = f"{reference.path} names Secret {name}, which does not exist. Create it with the key {reference.secret_key.key}, or correct the field"  # noqa: E501  # one message
            failed = Failed(reason=Reason.REFERENCE_MISSING, message=message, needs_person=False)
            return _stop_before_migration(situation, StepName.CHECK, failed)
    return None


def let_superseded_jobs_finish(situation: Situation) -> Verdict | None:
    """The steps of another plan: a check is dropped, a hook or a backup that has begun is waited for."""
    for job in situation.observed.jobs_of(names.HOOK, names.BACKUP, names.VERIFY):
        if job.plan == situation.plan or job.state != "Running" or _can_be_dropped(job):
            continue
        message = f"Waiting for Job {job.ref.name} of an earlier plan to end; delete it to go on without it"
        working = Working(reason=Reason.CHECKING, message=message, job=job)
        return Verdict(
            stage="Working",
            step=StepName.CHECK,
            progress=working,
            actions=_dropped(situation),
            suspends_gc=not situation.is_serving,
        )
    return None


def report_failed_step(situation: Situation) -> Verdict | None:
    """A hook, a backup or its verification that failed is not repeated by this plan, except when it heals by itself.

    Nor is a migration that ended before it touched the database.
    """
    for job in situation.jobs_of_plan(*_FAILURES):
        if job.state not in ("Failed", "Stopped"):
            continue
        name, reason, remedy = _FAILURES[job.component]
        failed = failure_of(situation, job, reason)
        again = f"{remedy}, or set the annotation {names.RETRY_ANNOTATION} to a new value to try again"
        message = f"{failed.message}. The schema is unchanged. {again}"
        return _stop_before_migration(situation, name, replace(failed, message=message))
    return None


_FAILURES: Final[Mapping[str, tuple[StepName, Reason, str]]] = {
    names.HOOK: (StepName.HOOKS, Reason.HOOK_FAILED, "Correct the hook"),
    names.BACKUP: (StepName.BACKUP, Reason.BACKUP_FAILED, "Remove the cause"),
    names.VERIFY: (StepName.VERIFY, Reason.BACKUP_VERIFY_FAILED, "Remove the cause"),
    names.MIGRATE: (StepName.MIGRATE, Reason.MIGRATION_FAILED, "Remove the cause"),
}


RULES: Final[tuple[Callable[[Situation], Verdict | None], ...]] = (
    let_changes_finish,
    put_backup_back,
    stay_suspended,
    hold_after_failed_migration,
    keep_serving,
    find_references,
    let_superseded_jobs_finish,
    report_failed_step,
)
"""Asked in this order: the first that has something to say decides. When none has, the next step is taken."""


def take_steps(situation: Situation) -> Verdict:
    dropped = _dropped(situation)
    schema = found_schema(situation)
    if schema is None and has_just_migrated(situation):
        steps: tuple[Step, ...] = (ROLL_OUT,)
    elif schema is None:
        steps = (CHECK,)
    else:
        steps = STEPS[schema.state]
    for step in steps:
        progress = step.take(situation)
        match progress:
            case Done() | Skipped():
                # What an earlier plan has left is cleared away only now that the database was looked at since.
                dropped = _superseded(situation)
            case Failed():
                return _stop_before_migration(situation, step.name, progress, dropped)
            case Working():
                return Verdict(
                    stage="Working",
                    step=step.name,
                    progress=progress,
                    actions=(*dropped, *progress.actions),
                    applies_workload=step.name == StepName.ROLL_OUT,
                    suspends_gc=step.needs_quiet or not situation.is_serving,
                )
    return _stop_before_migration(situation, StepName.CHECK, _refusal(situation), dropped)


def _refusal(situation: Situation) -> Failed:
    """The database is not one that the wanted image can use, and no migration would make it one."""
    schema = found_schema(situation)
    if schema is not None and schema.state == "Newer":
        message = f"The database is at revision {schema.mlflow.current}, which image {situation.image} does not know: a newer version has migrated it. Set spec.image to that version, or restore a backup and set the annotation {names.RETRY_ANNOTATION} to a new value"  # noqa: E501  # one message
        return Failed(reason=Reason.SCHEMA_NEWER_THAN_IMAGE, message=message)
    message = f"The database holds tables that are not those of a tracking server. Correct spec.database, or empty the database and set the annotation {names.RETRY_ANNOTATION} to a new value"  # noqa: E501  # one message
    return Failed(reason=Reason.SCHEMA_FOREIGN, message=message)


def _stop_before_migration(
    situation: Situation, step: StepName, failed: Failed, actions: tuple[Action, ...] = ()
) -> Verdict:
    """The schema is as it was: what served before goes on serving, or serves again."""
    returns = tuple(_return_to_service(situation))
    retries: tuple[Action, ...] = ()
    if not returns and _is_due(situation, failed):
        retries = tuple(_delete(job) for job in situation.jobs_of_plan(*_JOBS) if job.is_finished)
    return Verdict(
        stage="Failed",
        step=step,
        progress=failed,
        actions=(*actions, *returns, *retries),
        suspends_gc=not (situation.is_serving or returns),
    )


_JOBS: Final = (names.CHECK, names.HOOK, names.BACKUP, names.VERIFY, names.MIGRATE, names.RESTORE)


def _is_due(situation: Situation, failed: Failed) -> bool:
    return failed.retry_at is not None and situation.now >= failed.retry_at


def _return_to_service(situation: Situation) -> list[Action]:
    """Scales back what served, if the schema is still the one that it knows."""
    deployment, wanted = situation.deployment, situation.server.wanted_replicas
    if deployment is None or deployment.replicas > 0 or wanted == 0:
        return []
    change = last_change(situation)
    if (
        change is not None
        and change.component == names.MIGRATE
        and not (change.state == "Succeeded" and change.target == deployment.target)
    ):
        return []
    if change is not None and change.component == names.RESTORE and change.state != "Succeeded":
        return []
    schema = found_schema(situation)
    if situation.serves_target and schema is not None and schema.state != "Current":
        return []
    return [Scale(ref=deployment.ref, replicas=wanted)]


def _stop_server(situation: Situation) -> list[Action]:
    deployment = situation.deployment
    return [] if deployment is None or deployment.replicas == 0 else [Scale(ref=deployment.ref, replicas=0)]


def _diagnose(situation: Situation, progress: Progress) -> tuple[Progress, tuple[Action, ...]]:
    """Pods that are not ready for long: a check says whether it is the database. It changes nothing."""
    deployment = situation.deployment
    since = None if deployment is None else deployment.unavailable_since
    if since is None or situation.now < since + DIAGNOSE_AFTER:
        return progress, ()
    old = tuple(
        _delete(job) for job in situation.jobs_of_plan(names.CHECK) if job.is_finished and job.created_at < since
    )
    if old:
        return progress, old
    found = check(situation)
    match found:
        case Working(actions=actions):
            return progress, actions
        case Failed(job=job):
            retries = (_delete(job),) if job is not None and job.is_finished and _is_due(situation, found) else ()
            return found, retries
        case _:
            return progress, ()


def _superseded(situation: Situation) -> tuple[Action, ...]:
    """The Jobs of other plans that have ended, or that never began.

    The oldest goes first: a migration that failed must not outlive the one that succeeded after it.
    """
    return tuple(
        _delete(job)
        for job in situation.observed.jobs_of(*_JOBS)
        if job.plan != situation.plan and (job.is_finished or job.component == names.CHECK or _can_be_dropped(job))
    )


def _dropped(situation: Situation) -> tuple[Action, ...]:
    """The Jobs of other plans that would stand in the way, and of which nothing is lost."""
    return tuple(
        _delete(job)
        for job in situation.observed.jobs_of(names.CHECK, names.HOOK, names.BACKUP, names.VERIFY)
        if job.plan != situation.plan and not job.is_finished and (job.component == names.CHECK or _can_be_dropped(job))
    )


def _can_be_dropped(job: Job) -> bool:
    """Nothing of it has run, and nothing will: it was stopped, or its pod cannot start."""
    return not job.has_started and (job.state == "Stopped" or job.problem is not None)


def _delete(job: Job) -> Delete:
    return Delete(ref=job.ref, uid=job.uid)


def seconds_to_wait(situation: Situation, verdict: Verdict) -> float | None:
    """When to look again if nothing happens before; None: at the next resync."""
    match verdict.progress:
        case Working(wait_seconds=seconds):
            return seconds
        case Failed(retry_at=retry_at) if retry_at is not None:
            return seconds_until(situation, retry_at)
        case Failed(job=Job(state="Running")):
            return 30.0
        case _:
            return None
