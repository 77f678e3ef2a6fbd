"""The Job that tries the artifact store with the credentials that the server will have."""

from tracking_operator.desired import commands
from tracking_operator.desired.artifact_store import secret_files
from tracking_operator.desired.job import NO_SUCH_PROGRAM_EXIT_CODES, TERMINAL_EXIT_CODES, Work, job
from tracking_operator.desired.places import Places
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

STORE_FAILED_EXIT_CODE = 18
"""ArtifactStoreFailed: the pod says why at once, and the operator tries again in its own time."""


def store_check_job(server: TrackingServer, *, image: str, job_hash: str, places: Places) -> Manifest:
    work = Work(
        component=names.STORE_CHECK,
        image=image,
        command=commands.store_check_command(server, places),
        secret_files=secret_files(server),
        terminal_exit_codes=(*TERMINAL_EXIT_CODES, STORE_FAILED_EXIT_CODE, *NO_SUCH_PROGRAM_EXIT_CODES),
    )
    return job(server, names.store_check_job(server.metadata.name, job_hash), work, places=places, node=None)
