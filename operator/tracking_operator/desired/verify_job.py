"""The Job that reads an archive back, every row of it."""

from tracking_operator.desired import commands
from tracking_operator.desired.commands import Places
from tracking_operator.desired.job import job
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def verify_job(
    server: TrackingServer, *, image: str, archive: str, job_hash: str, places: Places, node: str | None
) -> Manifest:
    return job(
        server,
        names.verify_job(server.metadata.name, job_hash),
        names.VERIFY,
        commands.verify_command(server, places, archive),
        image=image,
        volumes=(DATABASE, BACKUPS),
        places=places,
        node=node,
    )
