"""Verify: a Job reads the backup back, every row of it, before anything relies on it."""

from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.backup import archive_of
from tracking_operator.decisions.steps.job_step import JobOfStep, take_job
from tracking_operator.decisions.steps.progress import Progress, Skipped
from tracking_operator.desired.verify_job import verify_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason


def verify(situation: Situation) -> Progress:
    return _take(situation, situation.window)


def verify_serving(situation: Situation) -> Progress:
    return _take(situation, "")


def _take(situation: Situation, window: str) -> Progress:
    archive = archive_of(situation, window)
    if not archive:
        return Skipped()  # no backup was asked for: the step before sees to that
    return take_job(situation, _step(situation, window, archive))


def _step(situation: Situation, window: str, archive: str) -> JobOfStep:
    job_hash = names.job_hash(plan=situation.plan, window=window, step=names.VERIFY, archive=archive)
    return JobOfStep(
        component=names.VERIFY,
        name=names.verify_job(situation.server.metadata.name, job_hash),
        build=lambda node: verify_job(
            situation.server,
            image=situation.image,
            archive=archive,
            job_hash=job_hash,
            places=situation.places,
            node=node,
        ),
        running=Reason.VERIFYING_BACKUP,
        failed=Reason.BACKUP_VERIFY_FAILED,
        doing="reads the backup back",
        archive=archive,
    )
