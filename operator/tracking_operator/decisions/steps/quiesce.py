"""Quiesce: nothing may write any more. Garbage collection ends first, then the pods of the server are stopped.

The Deployment is scaled and not applied, so that its template stays that of what served: scaling it back is the return.
"""

from tracking_operator.decisions.actions import Scale
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.progress import Done, Progress, Working
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason
from tracking_operator.resource.kinds import CRON_JOB, Ref


def quiesce(situation: Situation) -> Progress:
    observed = situation.observed
    if not _gc_is_suspended(situation):
        return Working(reason=Reason.QUIESCING, message="Garbage collection is being suspended", wait_seconds=1)
    collecting = [job for job in observed.jobs_of(names.GC) if not job.is_finished or job.has_living_pods]
    if collecting:
        message = f"Waiting for Job {collecting[0].ref.name} to end: garbage is not collected during an upgrade"
        return Working(reason=Reason.QUIESCING, message=message)
    deployment = observed.deployment
    if deployment is not None and deployment.replicas > 0:
        scale = Scale(ref=deployment.ref, replicas=0)
        return Working(reason=Reason.QUIESCING, message="The server is being stopped", actions=(scale,))
    if observed.server_pods:
        message = f"Waiting for Pod {observed.server_pods[0].name} to end"
        return Working(reason=Reason.QUIESCING, message=message)
    return Done()


def _gc_is_suspended(situation: Situation) -> bool:
    metadata = situation.server.metadata
    ref = Ref(kind=CRON_JOB, namespace=metadata.namespace, name=names.gc_cron_job(metadata.name))
    cron_job = situation.observed.children.get(ref)
    return cron_job is None or cron_job["spec"].get("suspend") is True
