"""Migrate: one Job per attempt brings the schema to what the wanted image needs.

It is never interrupted, and never repeated once it may have changed anything.
"""

from tracking_operator.decisions.actions import Delete
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.backup import archive_of
from tracking_operator.decisions.steps.check import found_schema
from tracking_operator.decisions.steps.job_step import JobOfStep, changed_nothing, failure_of, take_job
from tracking_operator.decisions.steps.progress import Done, Failed, Progress, Working
from tracking_operator.desired.migration_job import migration_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason


def migrate(situation: Situation) -> Progress:
    progress = take_job(situation, _step(situation))
    match progress:
        case Done(job=Job() as job) if found_schema(situation) is not None:
            # A check that ran after it found an old schema again: somebody has put an old database back.
            message = f"The database is older than when Job {job.ref.name} had migrated it: it is migrated again"
            actions = (Delete(ref=job.ref, uid=job.uid),)
            return Working(reason=Reason.MIGRATING, message=message, actions=actions, wait_seconds=1)
        case _:
            return progress


def has_migrated(situation: Situation) -> bool:
    """The last change of the schema was its migration to what is wanted, as far as is known."""
    last = last_change(situation)
    if last is None or last.component != names.MIGRATE:
        return False
    return last.state == "Succeeded" and last.target == situation.target


def has_just_migrated(situation: Situation) -> bool:
    """And no server has been started or stopped since: nobody else can have changed the schema."""
    last = last_change(situation)
    return last is not None and last.window == situation.window and has_migrated(situation)


def last_change(situation: Situation) -> Job | None:
    """The newest Job that has changed the schema, or may have."""
    changes = [
        job
        for job in situation.observed.jobs_of(names.MIGRATE, names.RESTORE)
        if not (job.component == names.MIGRATE and job.state == "Failed" and changed_nothing(job))
    ]
    return changes[-1] if changes else None


def failed_migration(situation: Situation) -> Job | None:
    """The newest migration, when it failed and may have left the database in between two versions."""
    migrations = situation.observed.jobs_of(names.MIGRATE)
    if not migrations or migrations[-1].state != "Failed" or changed_nothing(migrations[-1]):
        return None
    return migrations[-1]


def failure_of_migration(situation: Situation, job: Job) -> Failed:
    return failure_of(situation, job, Reason.MIGRATION_FAILED)


def _step(situation: Situation) -> JobOfStep:
    job_hash = names.job_hash(plan=situation.plan, step=names.MIGRATE)
    return JobOfStep(
        component=names.MIGRATE,
        name=names.migration_job(situation.server.metadata.name, job_hash),
        build=lambda node: migration_job(
            situation.server, image=situation.image, job_hash=job_hash, places=situation.places, node=node
        ),
        running=Reason.MIGRATING,
        failed=Reason.MIGRATION_FAILED,
        doing="migrates the schema",
        archive=archive_of(situation, situation.window),
    )
