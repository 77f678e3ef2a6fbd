"""The Job that brings the schema of the database to what the image needs: the only one that ever does."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def migration_job(server: TrackingServer, *, image: str, job_hash: str, places: Places, node: str | None) -> Manifest:
    work = Work(
        component=names.MIGRATE,
        image=image,
        command=commands.migration_command(server, places),
        volumes=(DATABASE,),
    )
    return job(server, names.migration_job(server.metadata.name, job_hash), work, places=places, node=node)
