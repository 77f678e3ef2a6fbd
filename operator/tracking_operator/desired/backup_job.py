"""The Job that writes an archive of the whole database to the volume of backups."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def backup_job(server: TrackingServer, *, image: str, job_hash: str, places: Places, node: str | None) -> Manifest:
    work = Work(
        component=names.BACKUP,
        image=image,
        command=commands.backup_command(server, places),
        volumes=(DATABASE, BACKUPS),
    )
    return job(server, names.backup_job(server.metadata.name, job_hash), work, places=places, node=node)
