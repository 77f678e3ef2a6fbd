"""The Job that puts an archive in place of what the database holds."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def restore_job(
    server: TrackingServer, *, image: str, archive: str, job_hash: str, places: Places, node: str | None
) -> Manifest:
    work = Work(
        component=names.RESTORE,
        image=image,
        command=commands.restore_command(server, places, archive),
        volumes=(DATABASE, BACKUPS),
    )
    return job(server, names.restore_job(server.metadata.name, job_hash), work, places=places, node=node)
