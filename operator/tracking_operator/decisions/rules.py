"""What comes before the next step of an upgrade: each rule has something to say, or leaves it to the next.

`upgrade.py` says in which order they are asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import explain, failure_of
from tracking_operator.decisions.steps.migrate import failed_migration, failure_of_migration
from tracking_operator.decisions.steps.progress import POLL_SECONDS, Done, Failed, Skipped, StepName, Working
from tracking_operator.decisions.steps.restore import has_restored, is_restorable, restore
from tracking_operator.decisions.verdict import (
    Verdict,
    can_be_dropped,
    delete_job,
    delete_old_checks,
    drop_superseded,
    is_due,
    return_to_service,
    stop_before_migration,
    stop_server,
)
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason
from tracking_operator.resource.kinds import Ref

_AGAIN: Final = f"set the annotation {names.RETRY_ANNOTATION} to a new value"


def let_changes_finish(situation: Situation) -> Verdict | None:
    """A migration or a restore that runs is never interrupted, whatever has become of the spec meanwhile."""
    for job in situation.observed.jobs_of(names.MIGRATE, names.RESTORE):
        if job.state == "Running" or job.has_living_pods:
            return _let_finish(situation, job)
    for pod in situation.observed.pods:
        if pod.component in (names.MIGRATE, names.RESTORE) and pod.is_living:
            working = Working(reason=Reason.MIGRATING, message=f"Waiting for Pod {pod.name} to end")
            actions = stop_server(situation)
            return Verdict(stage="Working", step=StepName.MIGRATE, progress=working, actions=actions, suspends_gc=True)
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
            actions = (delete_job(job),) if job is not None and is_due(situation, progress) else ()
            by_hand = f"Nothing serves. Put the backup {migration.archive} back by hand, then {_AGAIN}"
            said = replace(progress, message=f"{progress.message}. {by_hand}")
            return Verdict(stage="Failed", step=StepName.RESTORE, progress=said, actions=actions, suspends_gc=True)


def stay_suspended(situation: Situation) -> Verdict | None:
    if not situation.server.spec.suspend:
        return None
    stops = () if situation.serves_target else stop_server(situation)
    return Verdict(
        stage="Suspended",
        progress=Done(),
        actions=(*delete_old_checks(situation), *stops),
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
    is_restored = has_restored(situation, migration)
    words = (
        failed.message,
        _after_failed_migration(situation, migration, is_restored=is_restored),
        f"Remove the cause of the failure, then {_AGAIN}",
    )
    return Verdict(
        stage="Failed",
        step=StepName.MIGRATE,
        progress=Failed(reason=failed.reason, message=". ".join(words), job=migration),
        actions=return_to_service(situation) if is_restored else (),
        suspends_gc=not is_restored,
    )


def claim_names(situation: Situation) -> Verdict | None:
    """No step is taken for a server that could not have its children: their names have to be free, or ours."""
    failed = names_in_use(situation)
    return None if failed is None else stop_before_migration(situation, StepName.CHECK, failed)


def names_in_use(situation: Situation) -> Failed | None:
    """An object without our labels is not watched: that it has gone is found out by looking again."""
    observed = situation.observed
    if observed.taken:
        message = f"Not of this TrackingServer, and so left alone: {_list(observed.taken)}"
        remedy = "Delete what is named, or make it or the TrackingServer anew under another name"
        return Failed(reason=Reason.NAME_TAKEN, message=f"{message}. {remedy}", wait_seconds=POLL_SECONDS)
    if observed.leaving:
        message = (
            f"Waiting until what an earlier TrackingServer of this name has left is gone: {_list(observed.leaving)}"
        )
        reason = Reason.WAITING_FOR_DELETION
        return Failed(reason=reason, message=message, needs_person=False, wait_seconds=POLL_SECONDS)
    return None


def find_references(situation: Situation) -> Verdict | None:
    """Every Secret that the server and the upgrade need has to be there before a step is taken."""
    for reference in situation.server.references:
        name, key = reference.secret_key.name, reference.secret_key.key
        if situation.observed.secret_versions.get(name) is None:
            message = f"{reference.path} names Secret {name}, which does not exist"
            remedy = f"Create it with the key {key}, or correct the field"
            failed = Failed(reason=Reason.REFERENCE_MISSING, message=f"{message}. {remedy}", needs_person=False)
            return stop_before_migration(situation, StepName.CHECK, failed)
    return None


def let_superseded_jobs_finish(situation: Situation) -> Verdict | None:
    """The steps of another plan: a check is dropped, a hook or a backup that has begun is waited for."""
    for job in situation.observed.jobs_of(names.HOOK, names.BACKUP, names.VERIFY):
        if job.plan == situation.plan or job.state != "Running" or can_be_dropped(job):
            continue
        message = f"Waiting for Job {job.ref.name} of an earlier plan to end; delete it to go on without it"
        working = Working(reason=Reason.CHECKING, message=message, job=job)
        return Verdict(
            stage="Working",
            step=StepName.CHECK,
            progress=working,
            actions=drop_superseded(situation),
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
        again = f"{remedy}, or {_AGAIN} to try again"
        message = f"{failed.message}. The schema is unchanged. {again}"
        return stop_before_migration(situation, name, replace(failed, message=message))
    return None


_FAILURES: Final[Mapping[str, tuple[StepName, Reason, str]]] = {
    names.HOOK: (StepName.HOOKS, Reason.HOOK_FAILED, "Correct the hook"),
    names.BACKUP: (StepName.BACKUP, Reason.BACKUP_FAILED, "Remove the cause"),
    names.VERIFY: (StepName.VERIFY, Reason.BACKUP_VERIFY_FAILED, "Remove the cause"),
    names.MIGRATE: (StepName.MIGRATE, Reason.MIGRATION_FAILED, "Remove the cause"),
}


def _list(refs: Iterable[Ref]) -> str:
    return ", ".join(f"{ref.kind.kind} {ref.name}" for ref in refs)


def _let_finish(situation: Situation, job: Job) -> Verdict:
    is_migration = job.component == names.MIGRATE
    message = f"Job {job.ref.name} runs, and is not interrupted"
    actions = stop_server(situation)
    if job.state != "Running":
        message = f"Waiting for the pod of Job {job.ref.name} to end"
    elif job.problem is not None and not job.has_started:
        message = f"Job {job.ref.name} waits: {explain(job.problem)}"
        if job.target != situation.target:
            actions = (*actions, delete_job(job))
    return Verdict(
        stage="Working",
        step=StepName.MIGRATE if is_migration else StepName.RESTORE,
        progress=Working(reason=Reason.MIGRATING if is_migration else Reason.RESTORING, message=message, job=job),
        actions=actions,
        suspends_gc=True,
    )


def _after_failed_migration(situation: Situation, migration: Job, *, is_restored: bool) -> str:
    if is_restored and situation.deployment is None:
        return "The backup is back in place"
    if is_restored:
        return "The backup is back in place, and what served before serves again"
    if migration.archive:
        remedy = "to put it back, set spec.upgrade.onFailure to RestoreBackup"
        return f"Nothing serves. The backup is {migration.archive}: {remedy}"
    return "Nothing serves, and there is no backup"
