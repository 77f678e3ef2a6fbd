"""Check: a Job with the wanted image looks at the database. It changes nothing, so what serves goes on serving.

That it starts at all shows that the image can be pulled and that the Secrets have their keys.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from tracking_operator.decisions.actions import Delete
from tracking_operator.decisions.observed import Job, Problem
from tracking_operator.decisions.reports import SchemaReport, parse_schema_report
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import (
    NOT_OURS_EXIT_CODES,
    JobOfStep,
    changed_nothing,
    database_field,
    hindrance,
    not_a_server,
    take_job,
    with_retry,
)
from tracking_operator.decisions.steps.progress import Done, Failed, Progress, Working
from tracking_operator.desired.check_job import check_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason

_SCHEMA_UNSUPPORTED: Final = "SchemaUnsupported"


def check(situation: Situation) -> Progress:
    progress = take_job(situation, _step(situation))
    match progress:
        case Done(job=Job() as job) | Failed(job=Job() as job) if not is_fresh(situation, job):
            return _again(job, f"Job {job.ref.name} looked at the database before it was changed")
        case Done(job=Job() as job):
            return _found(situation, job)
        case Failed(job=Job() as job):
            return _explained(situation, progress, job)
        case Working(job=Job(problem=Problem() as problem) as job, actions=()):
            return hindrance(situation, progress, job, problem, database_field(situation))
        case _:
            return progress


def found_schema(situation: Situation) -> SchemaReport | None:
    """What the check of this plan found, as long as nothing has changed the database since."""
    for job in situation.jobs_of_plan(names.CHECK):
        if job.ref.name == _step(situation).name and job.state == "Succeeded" and is_fresh(situation, job):
            return parse_schema_report(job.report)
    return None


def is_fresh(situation: Situation, check: Job) -> bool:
    changed_at = schema_changed_at(situation)
    return changed_at is None or check.created_at > changed_at


def schema_changed_at(situation: Situation) -> datetime | None:
    """When the last migration or restore ended, as far as its Job is still there."""
    ends = [
        job.finished_at
        for job in situation.observed.jobs_of(names.MIGRATE, names.RESTORE)
        if job.finished_at is not None and not (job.component == names.MIGRATE and changed_nothing(job))
    ]
    return max(ends, default=None)


def _step(situation: Situation) -> JobOfStep:
    job_hash = names.job_hash(plan=situation.plan, step=names.CHECK)
    return JobOfStep(
        component=names.CHECK,
        name=names.check_job(situation.server.metadata.name, job_hash),
        build=lambda node: check_job(
            situation.server, image=situation.image, job_hash=job_hash, places=situation.places, node=node
        ),
        running=Reason.CHECKING,
        failed=Reason.CHECK_FAILED,
        doing="looks at the database with the wanted image",
    )


def _again(job: Job, why: str) -> Working:
    message = f"{why}: it is made anew"
    actions = (Delete(ref=job.ref, uid=job.uid),)
    return Working(reason=Reason.CHECKING, message=message, actions=actions, wait_seconds=1)


def _found(situation: Situation, job: Job) -> Progress:
    if not job.pods:
        return _again(job, f"What Job {job.ref.name} found is lost with its pod")
    if parse_schema_report(job.report) is not None:
        return Done(job=job)
    message = f"Job {job.ref.name}: image {situation.image} does not answer as a tracking server's does"
    return with_retry(situation, Failed(reason=Reason.IMAGE_UNUSABLE, message=message, job=job), job)


def _explained(situation: Situation, failed: Failed, job: Job) -> Failed:
    report = job.report
    match failed.reason:
        case Reason.DATABASE_UNREACHABLE | Reason.LOCK_BUSY:
            return failed
        case Reason.CONFIG_INVALID:
            return replace(failed, message=f"{failed.message}. Correct {database_field(situation)}")
        case _ if report is not None and report.reason == _SCHEMA_UNSUPPORTED:
            return replace(failed, reason=Reason.SCHEMA_NEWER_THAN_IMAGE)
        case _ if job.exit_codes & NOT_OURS_EXIT_CODES:
            return not_a_server(situation, failed, job)
        case _:
            return with_retry(situation, failed, job)
