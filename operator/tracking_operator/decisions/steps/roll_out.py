"""Roll out: the Deployment gets the wanted image, now that the schema is the one which that image needs."""

from tracking_operator.decisions.observed import Deployment
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import explain
from tracking_operator.decisions.steps.progress import Done, Failed, Progress, Working
from tracking_operator.resource.conditions import Reason


def roll_out(_situation: Situation) -> Working:
    """The Deployment is applied with the other children; this says why, until it is seen to be the wanted one."""
    return Working(reason=Reason.ROLLING_OUT, message="Pods of the wanted version are being started", wait_seconds=1)


def watch_rollout(situation: Situation, deployment: Deployment) -> Progress:
    """How far the pods of a Deployment are that is the wanted one."""
    wanted = situation.server.wanted_replicas
    if not deployment.is_observed or deployment.replicas != wanted:
        return Working(reason=Reason.ROLLING_OUT, message=f"Deployment {deployment.ref.name} is being changed")
    counts = (deployment.pods_total, deployment.pods_updated, deployment.pods_ready)
    if all(count == wanted for count in counts):
        return Done()
    words = _trouble(situation)
    if deployment.has_exceeded_deadline:
        message = f"Deployment {deployment.ref.name} makes no progress{words}. Look at the pods and their logs"
        return Failed(reason=Reason.ROLLOUT_FAILED, message=message)
    return Working(
        reason=Reason.ROLLING_OUT, message=f"The pods of Deployment {deployment.ref.name} are not all ready{words}"
    )


def _trouble(situation: Situation) -> str:
    for pod in situation.observed.server_pods:
        if pod.problem is not None:
            return f". Pod {pod.name}: {explain(pod.problem)}"
    return ""
