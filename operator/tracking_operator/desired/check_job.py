"""The Job that looks at the database with the image that is wanted, before anything is changed."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import NO_SUCH_PROGRAM_EXIT_CODES, TERMINAL_EXIT_CODES, Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def check_job(server: TrackingServer, *, image: str, job_hash: str, places: Places, node: str | None) -> Manifest:
    """An image that is not a server's is known by the first try."""
    work = Work(
        component=names.CHECK,
        image=image,
        command=commands.check_command(server, places),
        volumes=(DATABASE,),
        terminal_exit_codes=(*TERMINAL_EXIT_CODES, *NO_SUCH_PROGRAM_EXIT_CODES),
    )
    return job(server, names.check_job(server.metadata.name, job_hash), work, places=places, node=node)
