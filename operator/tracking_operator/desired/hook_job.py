"""The Job of one hook: somebody else's image and command, in a pod with our security context and ServiceAccount."""

from tracking_operator.desired import commands
from tracking_operator.desired.commands import Places
from tracking_operator.desired.job import job
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def hook_job(server: TrackingServer, *, index: int, job_hash: str, places: Places, node: str | None) -> Manifest:
    """The hook at `index` of spec.upgrade.hooks.preMigration. It sees the volumes that a backup sees."""
    hook = server.spec.upgrade.hooks.pre_migration[index]
    return job(
        server,
        names.hook_job(server.metadata.name, index, job_hash),
        names.HOOK,
        commands.hook_command(hook, places),
        image=hook.image,
        volumes=(DATABASE, BACKUPS),
        places=places,
        node=node,
    )
