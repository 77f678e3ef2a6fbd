"""One pass over one TrackingServer: gather, decide, carry out. It may be called at any time, any number of times."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tracking_operator.cluster.carry_out import carry_out, write_status
from tracking_operator.cluster.client import Cluster
from tracking_operator.cluster.gather import gather
from tracking_operator.decisions.events import Report
from tracking_operator.decisions.observed import Observed
from tracking_operator.decisions.plan import make_plan
from tracking_operator.decisions.situation import ReconcileSettings
from tracking_operator.decisions.status import status_of_invalid_spec, status_of_refusal
from tracking_operator.decisions.story import tell
from tracking_operator.errors import ClusterRefused, SpecInvalid
from tracking_operator.resource.kinds import Manifest, Ref
from tracking_operator.resource.parse import parse

REFUSED_SECONDS: Final = 300.0
"""How long to wait after the API server has refused something: a person has to act first."""

__all__ = ["Outcome", "ReconcileSettings", "reconcile"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    reports: tuple[Report, ...] = ()
    """The Events to record about the resource."""
    requeue_seconds: float | None = None
    """When to come back if nothing happens before; None: at the next resync."""
    resource: Manifest | None = None
    """What was reconciled; None when it is gone."""


async def reconcile(ref: Ref, cluster: Cluster, now: datetime, settings: ReconcileSettings) -> Outcome:
    """Raises `NotReadyYet` when the API server does not answer; what was done until then is found again."""
    resource = await cluster.get(ref)
    if resource is None or "deletionTimestamp" in resource["metadata"]:
        return Outcome()  # the children go with their owner, by owner references
    before: Manifest = resource.get("status") or {}
    generation: int = resource["metadata"]["generation"]
    try:
        server = parse(resource)
    except SpecInvalid as invalid:
        status = status_of_invalid_spec(before, invalid.faults, generation=generation, now=now)
        await write_status(resource, status, cluster)
        return Outcome(reports=tell(before, status, ref.namespace), resource=resource)
    planned = before
    try:
        observed = await gather(server, cluster, status=before)
        plan = make_plan(server, observed, now, settings)
        planned = plan.status
        corrected = await carry_out(plan.actions, cluster, versions=_versions(observed))
    except ClusterRefused as refused:
        status = status_of_refusal(planned, before, str(refused), generation=generation, now=now)
        await write_status(resource, status, cluster)
        return Outcome(reports=tell(before, status, ref.namespace), requeue_seconds=REFUSED_SECONDS, resource=resource)
    await write_status(resource, plan.status, cluster)
    return Outcome(reports=(*corrected, *plan.reports), requeue_seconds=plan.wait_seconds, resource=resource)


def _versions(observed: Observed) -> dict[Ref, str | None]:
    return {
        ref: None if child is None else child["metadata"]["resourceVersion"] for ref, child in observed.children.items()
    }
