"""The rule for a server at rest: it is kept as the spec says, and looked into when it does not answer."""

from datetime import timedelta
from typing import Final

from tracking_operator.decisions.actions import Action
from tracking_operator.decisions.observed import Deployment
from tracking_operator.decisions.rules import names_in_use
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.check import check, found_schema
from tracking_operator.decisions.steps.migrate import last_change
from tracking_operator.decisions.steps.progress import Done, Failed, Progress, StepName, Working
from tracking_operator.decisions.steps.roll_out import watch_rollout
from tracking_operator.decisions.verdict import Verdict, delete_job, delete_old_checks, delete_superseded, is_due
from tracking_operator.resource import names

DIAGNOSE_AFTER: Final = timedelta(seconds=120)
"""A server that has not been available for so long is looked into: does its database answer?"""


def keep_serving(situation: Situation) -> Verdict | None:
    """The Deployment is the wanted one: whatever else the spec asks for is applied to it at once."""
    deployment, wanted = situation.deployment, situation.server.wanted_replicas
    if deployment is None or not situation.serves_target or not _vouches(situation):
        return None
    if deployment.replicas == 0 and wanted > 0:
        return None  # it was stopped: before it starts again, somebody has to look at the database
    progress = names_in_use(situation) or watch_rollout(situation, deployment)
    actions = delete_superseded(situation)
    if wanted == 0:
        actions = (*actions, *delete_old_checks(situation))
    elif not isinstance(progress, Done):
        progress, diagnosis = _diagnose(situation, deployment, progress)
        actions = (*actions, *diagnosis)
    return Verdict(stage="Serving", step=StepName.ROLL_OUT, progress=progress, actions=actions, applies_workload=True)


def _vouches(situation: Situation) -> bool:
    """Nothing speaks against the schema being the one that the Deployment was made for."""
    schema = found_schema(situation)
    if schema is not None:
        return schema.state == "Current"
    change = last_change(situation)
    return change is None or change.target == situation.target


def _diagnose(situation: Situation, deployment: Deployment, progress: Progress) -> tuple[Progress, tuple[Action, ...]]:
    """Pods that are not ready for long: a check says whether it is the database. It changes nothing."""
    since = deployment.unavailable_since
    if since is None or situation.now < since + DIAGNOSE_AFTER:
        return progress, ()
    checks = [job for job in situation.jobs_of_plan(names.CHECK) if job.is_finished and job.created_at < since]
    if checks:
        return progress, tuple(delete_job(job) for job in checks)
    found = check(situation)
    match found:
        case Working(actions=actions):
            return progress, actions
        case Failed(job=job):
            retries = (delete_job(job),) if job is not None and job.is_finished and is_due(situation, found) else ()
            return found, retries
        case _:
            return progress, ()
