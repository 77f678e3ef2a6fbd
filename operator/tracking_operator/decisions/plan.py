"""From the wish and the snapshot to everything that one pass does: writes, status, Events, and when to look again."""

from dataclasses import dataclass, replace
from datetime import datetime

from tracking_operator.decisions.actions import Action, Apply
from tracking_operator.decisions.children import standing_children
from tracking_operator.decisions.events import Report
from tracking_operator.decisions.observed import Observed
from tracking_operator.decisions.situation import ReconcileSettings, situation_of
from tracking_operator.decisions.status import status_of
from tracking_operator.decisions.steps.progress import Done, Working
from tracking_operator.decisions.story import tell
from tracking_operator.decisions.upgrade import decide, seconds_to_wait
from tracking_operator.decisions.verdict import Verdict
from tracking_operator.resource.conditions import Reason
from tracking_operator.resource.kinds import DEPLOYMENT, Manifest
from tracking_operator.resource.spec import TrackingServer


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    actions: tuple[Action, ...]
    """In this order; when one fails, those after it are not tried."""
    status: Manifest
    reports: tuple[Report, ...]
    wait_seconds: float | None
    """When to look again if nothing happens before; None: at the next resync."""


def make_plan(server: TrackingServer, observed: Observed, now: datetime, settings: ReconcileSettings) -> Plan:
    situation = situation_of(server, observed, now, settings)
    verdict = decide(situation)
    children = standing_children(situation, applies_workload=verdict.applies_workload, suspends_gc=verdict.suspends_gc)
    verdict = _in_motion(verdict, children.workload)
    status = status_of(situation, verdict, children.refs)
    # Jobs need the foundation. What an earlier plan has left goes before the Deployment changes: a server that serves
    # never meets the failed migration of an old plan, which could be taken for a reason to put a backup back.
    return Plan(
        actions=(*children.foundation, *verdict.actions, *children.workload),
        status=status,
        reports=tell(observed.status, status, server.metadata.namespace),
        wait_seconds=seconds_to_wait(situation, verdict),
    )


def _in_motion(verdict: Verdict, workload: tuple[Action, ...]) -> Verdict:
    """A Deployment that this pass changes is not what was observed of it any more."""
    if verdict.stage != "Serving" or not isinstance(verdict.progress, Done):
        return verdict
    for action in workload:
        if isinstance(action, Apply) and action.manifest["kind"] == DEPLOYMENT.kind and not action.drift:
            message = f"Deployment {action.manifest['metadata']['name']} is being changed"
            return replace(verdict, progress=Working(reason=Reason.ROLLING_OUT, message=message))
    return verdict
