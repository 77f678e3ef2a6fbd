"""The Job that reads an archive back, every row of it."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import BACKUPS
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def verify_job(
    server: TrackingServer, *, image: str, archive: str, job_hash: str, places: Places, node: str | None
) -> Manifest:
    work = Work(
        component=names.VERIFY,
        image=image,
        command=commands.verify_command(places, archive),
        volumes=(BACKUPS,),
    )
    return job(server, names.verify_job(server.metadata.name, job_hash), work, places=places, node=node)
