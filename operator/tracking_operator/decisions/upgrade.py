"""What happens next to a server and its database: the rules that come first, then the steps of an upgrade, in order.

Nothing is remembered between two passes. Each pass reads the Jobs that are there and arrives at the same place, so an
operator that was killed between any two writes goes on where it was. docs/operations/upgrade.md tells it to a person.
"""

from collections.abc import Callable, Mapping
from typing import Final

from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.reports import SchemaState
from tracking_operator.decisions.rules import (
    claim_names,
    find_references,
    hold_after_failed_migration,
    let_changes_finish,
    let_superseded_jobs_finish,
    put_backup_back,
    report_failed_step,
    stay_suspended,
)
from tracking_operator.decisions.serving import keep_serving
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.backup import back_up, back_up_serving
from tracking_operator.decisions.steps.check import check, found_schema
from tracking_operator.decisions.steps.check_store import check_store
from tracking_operator.decisions.steps.hooks import run_hooks
from tracking_operator.decisions.steps.job_step import seconds_until
from tracking_operator.decisions.steps.migrate import has_just_migrated, migrate
from tracking_operator.decisions.steps.progress import POLL_SECONDS, Done, Failed, Skipped, Step, StepName, Working
from tracking_operator.decisions.steps.quiesce import quiesce
from tracking_operator.decisions.steps.roll_out import roll_out
from tracking_operator.decisions.steps.verify import verify, verify_serving
from tracking_operator.decisions.verdict import Verdict, delete_superseded, drop_superseded, stop_before_migration
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason

CHECK: Final = Step(name=StepName.CHECK, take=check, needs_quiet=False)
CHECK_STORE: Final = Step(name=StepName.CHECK_STORE, take=check_store, needs_quiet=False)
ROLL_OUT: Final = Step(name=StepName.ROLL_OUT, take=roll_out, needs_quiet=True)

STEPS: Final[Mapping[SchemaState, tuple[Step, ...]]] = {
    "Outdated": (
        CHECK,
        CHECK_STORE,
        Step(name=StepName.QUIESCE, take=quiesce, needs_quiet=True),
        Step(name=StepName.HOOKS, take=run_hooks, needs_quiet=True),
        Step(name=StepName.BACKUP, take=back_up, needs_quiet=True),
        Step(name=StepName.VERIFY, take=verify, needs_quiet=True),
        Step(name=StepName.MIGRATE, take=migrate, needs_quiet=True),
        ROLL_OUT,
    ),
    "Empty": (
        CHECK,
        CHECK_STORE,
        Step(name=StepName.QUIESCE, take=quiesce, needs_quiet=True),
        Step(name=StepName.MIGRATE, take=migrate, needs_quiet=True),
        ROLL_OUT,
    ),
    "Current": (
        CHECK,
        CHECK_STORE,
        Step(name=StepName.BACKUP, take=back_up_serving, needs_quiet=False),
        Step(name=StepName.VERIFY, take=verify_serving, needs_quiet=False),
        ROLL_OUT,
    ),
    "Newer": (CHECK,),
    "Foreign": (CHECK,),
}
"""The steps of an upgrade, by what the check finds in the database."""

RULES: Final[tuple[Callable[[Situation], Verdict | None], ...]] = (
    let_changes_finish,
    put_backup_back,
    stay_suspended,
    hold_after_failed_migration,
    keep_serving,
    claim_names,
    find_references,
    let_superseded_jobs_finish,
    report_failed_step,
)
"""Asked in this order: the first that has something to say decides. When none has, the next step is taken."""


def decide(situation: Situation) -> Verdict:
    for rule in RULES:
        verdict = rule(situation)
        if verdict is not None:
            return verdict
    return take_steps(situation)


def take_steps(situation: Situation) -> Verdict:
    """The first step that is not done."""
    old_jobs = drop_superseded(situation)
    for step in _steps(situation):
        progress = step.take(situation)
        match progress:
            case Done() | Skipped():
                # What an earlier plan has left is cleared away only now that the database was looked at since.
                old_jobs = delete_superseded(situation)
            case Failed():
                return stop_before_migration(situation, step.name, progress, old_jobs)
            case Working():
                return Verdict(
                    stage="Working",
                    step=step.name,
                    progress=progress,
                    actions=(*old_jobs, *progress.actions),
                    applies_workload=step.name == StepName.ROLL_OUT,
                    suspends_gc=step.needs_quiet or not situation.is_serving,
                )
    return stop_before_migration(situation, StepName.CHECK, _refusal(situation), old_jobs)


def seconds_to_wait(situation: Situation, verdict: Verdict) -> float | None:
    """When to look again if nothing happens before; None: at the next resync."""
    match verdict.progress:
        case Working(wait_seconds=seconds):
            return seconds
        case Failed(retry_at=retry_at) if retry_at is not None:
            return seconds_until(situation, retry_at)
        case Failed(wait_seconds=seconds) if seconds is not None:
            return seconds
        case Failed(job=Job(state="Running")):
            return POLL_SECONDS
        case _:
            return None


def _steps(situation: Situation) -> tuple[Step, ...]:
    schema = found_schema(situation)
    if schema is not None:
        return STEPS[schema.state]
    return (ROLL_OUT,) if has_just_migrated(situation) else (CHECK,)


def _refusal(situation: Situation) -> Failed:
    """The database is not one that the wanted image can use, and no migration would make it one."""
    schema, again = found_schema(situation), f"set the annotation {names.RETRY_ANNOTATION} to a new value"
    if schema is not None and schema.state == "Newer":
        found = f"The database is at revision {schema.mlflow.current}, which image {situation.image} does not know"
        remedy = f"Set spec.image to the newer version that has migrated it, or restore a backup and {again}"
        return Failed(reason=Reason.SCHEMA_NEWER_THAN_IMAGE, message=f"{found}. {remedy}")
    found = "The database holds tables that are not those of a tracking server"
    remedy = f"Correct spec.database, or empty the database and {again}"
    return Failed(reason=Reason.SCHEMA_FOREIGN, message=f"{found}. {remedy}")
