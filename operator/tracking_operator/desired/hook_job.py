"""The Job of one hook: somebody else's image and command, in a pod with our security context and ServiceAccount."""

from tracking_operator.desired import commands
from tracking_operator.desired.job import Work, job
from tracking_operator.desired.places import Places
from tracking_operator.desired.volume_claim import BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer


def hook_job(server: TrackingServer, *, index: int, job_hash: str, places: Places, node: str | None) -> Manifest:
    """The hook at `index` of spec.upgrade.hooks.preMigration. It sees the volumes that a backup sees.

    Its exit codes mean nothing to us: whatever fails is tried again.
    """
    hook = server.spec.upgrade.hooks.pre_migration[index]
    work = Work(
        component=names.HOOK,
        image=hook.image,
        command=commands.hook_command(hook, places),
        volumes=(DATABASE, BACKUPS),
        terminal_exit_codes=(),
    )
    return job(server, names.hook_job(server.metadata.name, index, job_hash), work, places=places, node=node)
