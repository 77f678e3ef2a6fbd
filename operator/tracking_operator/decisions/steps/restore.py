"""Restore: after a migration that failed, a Job puts the backup back that was taken right before it.

Only while nothing has served since: a write that was acknowledged after the migration is never taken back.
"""

from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import JobOfStep, take_job
from tracking_operator.decisions.steps.progress import Progress
from tracking_operator.desired.restore_job import restore_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason


def restore(situation: Situation, migration: Job) -> Progress:
    """Puts back the backup that `migration` relied on."""
    return take_job(situation, _step(situation, migration))


def is_restorable(situation: Situation, migration: Job) -> bool:
    if situation.server.spec.upgrade.on_failure != "RestoreBackup" or not migration.archive:
        return False
    return not situation.is_serving and not situation.observed.server_pods


def has_restored(situation: Situation, migration: Job) -> bool:
    name = _step(situation, migration).name
    return any(job.ref.name == name and job.state == "Succeeded" for job in situation.observed.jobs_of(names.RESTORE))


def _step(situation: Situation, migration: Job) -> JobOfStep:
    job_hash = names.job_hash(migration=migration.uid, step=names.RESTORE, archive=migration.archive)
    return JobOfStep(
        component=names.RESTORE,
        name=names.restore_job(situation.server.metadata.name, job_hash),
        build=lambda node: restore_job(
            situation.server,
            image=situation.image,
            archive=migration.archive,
            job_hash=job_hash,
            places=situation.places,
            node=node,
        ),
        running=Reason.RESTORING,
        failed=Reason.RESTORE_FAILED,
        doing="puts the backup back",
        archive=migration.archive,
    )
