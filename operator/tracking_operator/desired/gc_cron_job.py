"""The CronJob that removes for good what was deleted long enough ago."""

from tracking_operator.desired import commands
from tracking_operator.desired.artifact_store import secret_files
from tracking_operator.desired.job import Work, job_spec
from tracking_operator.desired.metadata import child_metadata
from tracking_operator.desired.places import Places
from tracking_operator.desired.pod_template import Anywhere, BesideServer
from tracking_operator.desired.volume_claim import ARTIFACTS, DATABASE, can_be_shared_between_nodes, pod_volumes
from tracking_operator.resource import kinds, names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import GarbageCollection, TrackingServer


def gc_cron_job(
    server: TrackingServer, gc: GarbageCollection, *, image: str, places: Places, is_suspended: bool
) -> Manifest:
    """`is_suspended` while the server is, and while an upgrade runs."""
    name = names.gc_cron_job(server.metadata.name)
    volumes = (DATABASE, ARTIFACTS)
    used = [volume for volume in pod_volumes(server) if volume.name in volumes]
    free = all(can_be_shared_between_nodes(server, volume.volume) for volume in used)
    work = Work(
        component=names.GC,
        image=image,
        command=commands.gc_command(server, gc, places),
        volumes=volumes,
        secret_files=secret_files(server),
    )
    job = job_spec(server, work, places=places, placement=Anywhere() if free else BesideServer())
    return {
        "apiVersion": kinds.CRON_JOB.api_version,
        "kind": kinds.CRON_JOB.kind,
        "metadata": child_metadata(server, name, names.GC),
        "spec": {
            "schedule": gc.schedule,
            "timeZone": gc.time_zone,
            "suspend": is_suspended,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 3600,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": names.labels(server.metadata.name, server.metadata.uid, names.GC)},
                "spec": job,
            },
        },
    }
