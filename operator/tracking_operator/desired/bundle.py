"""The full, ordered set of standing children of one TrackingServer. Jobs are not among them: an upgrade makes those."""

from tracking_operator.desired.binding import binding
from tracking_operator.desired.deployment import deployment
from tracking_operator.desired.gc_cron_job import gc_cron_job
from tracking_operator.desired.places import Places
from tracking_operator.desired.service import service
from tracking_operator.desired.service_account import service_account
from tracking_operator.desired.volume_claim import volume_claims
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def foundation(server: TrackingServer) -> tuple[Manifest, ...]:
    """What can be there before anything runs, whatever the state of the database."""
    return (service_account(server), *volume_claims(server), service(server), binding(server))


def workload(
    server: TrackingServer, *, image: str, replicas: int, references: str, places: Places, gc_is_suspended: bool
) -> tuple[Manifest, ...]:
    """What runs against a database whose schema the image knows."""
    serving = deployment(server, image=image, replicas=replicas, references=references, places=places)
    gc = server.spec.gc
    if gc is None:
        return (serving,)
    return (serving, gc_cron_job(server, gc, image=image, places=places, is_suspended=gc_is_suspended))


def children(server: TrackingServer, *, image: str, references: str, places: Places) -> tuple[Manifest, ...]:
    """The whole set of a TrackingServer at rest."""
    return (
        *foundation(server),
        *workload(
            server,
            image=image,
            replicas=server.wanted_replicas,
            references=references,
            places=places,
            gc_is_suspended=server.spec.suspend,
        ),
    )
