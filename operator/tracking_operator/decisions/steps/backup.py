"""Backup: a Job writes an archive of the whole database to the volume of backups.

Before a migration it is taken while nothing serves, so that a return to it loses no write.
"""

from tracking_operator.decisions.actions import Delete
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.reports import parse_backup_report
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import JobOfStep, take_job
from tracking_operator.decisions.steps.progress import Done, Progress, Skipped, Working
from tracking_operator.desired.backup_job import backup_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason


def back_up(situation: Situation) -> Progress:
    """The backup before a migration."""
    if situation.server.spec.upgrade.backup.required == "Never":
        return Skipped()
    return _take(situation, situation.window)


def back_up_serving(situation: Situation) -> Progress:
    """The backup before a new image that has nothing to migrate, for those who always want one. Nothing is stopped."""
    if situation.server.spec.upgrade.backup.required != "Always" or not _image_changes(situation):
        return Skipped()
    return _take(situation, "")


def archive_of(situation: Situation, window: str) -> str:
    """Where the backup of this plan and window is; empty when there is none."""
    name = _name(situation, window)
    job = next((job for job in situation.observed.jobs_of(names.BACKUP) if job.ref.name == name), None)
    report = None if job is None or job.state != "Succeeded" else parse_backup_report(job.report)
    return "" if report is None else report.path


def _take(situation: Situation, window: str) -> Progress:
    progress = take_job(situation, _step(situation, window))
    match progress:
        case Done(job=Job() as job) if not archive_of(situation, window):
            message = f"Where Job {job.ref.name} wrote the backup is lost with its pod: it is taken anew"
            actions = (Delete(ref=job.ref, uid=job.uid),)
            return Working(reason=Reason.BACKING_UP, message=message, actions=actions, wait_seconds=1)
        case _:
            return progress


def _image_changes(situation: Situation) -> bool:
    return situation.deployment is not None and situation.deployment.image != situation.image


def _name(situation: Situation, window: str) -> str:
    return names.backup_job(situation.server.metadata.name, _hash(situation, window))


def _hash(situation: Situation, window: str) -> str:
    return names.job_hash(plan=situation.plan, window=window, step=names.BACKUP)


def _step(situation: Situation, window: str) -> JobOfStep:
    return JobOfStep(
        component=names.BACKUP,
        name=_name(situation, window),
        build=lambda node: backup_job(
            situation.server,
            image=situation.image,
            job_hash=_hash(situation, window),
            places=situation.places,
            node=node,
        ),
        running=Reason.BACKING_UP,
        failed=Reason.BACKUP_FAILED,
        doing="backs up the database",
    )
