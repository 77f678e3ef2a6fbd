"""The status of a TrackingServer: what was observed, in the shape of the resource."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from tracking_operator.decisions.conditions import (
    as_manifest,
    conditions_of,
    conditions_of_invalid_spec,
    conditions_of_refusal,
)
from tracking_operator.decisions.record import backup_record, is_rolling_out, schema_record, upgrade_record
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.verdict import Verdict
from tracking_operator.desired.service import endpoint
from tracking_operator.errors import Fault
from tracking_operator.resource import names
from tracking_operator.resource.conditions import ConditionType
from tracking_operator.resource.kinds import Manifest, Ref


def status_of(situation: Situation, verdict: Verdict, children: Iterable[Ref]) -> Manifest:
    generation = situation.server.metadata.generation
    before = situation.observed.status
    upgrade = upgrade_record(situation, verdict)
    conditions = conditions_of(situation, verdict, rolls_out=is_rolling_out(upgrade, verdict))
    deployment = situation.deployment
    selector = names.selector(situation.server.metadata.name)
    status: dict[str, Any] = {
        "observedGeneration": generation,
        "conditions": as_manifest(conditions, before.get("conditions") or (), generation=generation, now=situation.now),
        "replicas": 0 if deployment is None else deployment.pods_total,
        "readyReplicas": 0 if deployment is None else deployment.pods_ready,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        "endpoint": endpoint(situation.server),
        "binding": {"name": names.binding(situation.server.metadata.name)},
        "image": None if deployment is None else deployment.image,
        "schema": schema_record(situation),
        "upgrade": upgrade,
        "lastBackup": backup_record(situation),
        "children": [{"kind": ref.kind.kind, "name": ref.name} for ref in children],
    }
    return {key: value for key, value in status.items() if value is not None}


def status_of_invalid_spec(
    before: Mapping[str, Any], faults: Iterable[Fault], *, generation: int, now: datetime
) -> Manifest:
    """Everything but the conditions stays as it was: what runs is left alone."""
    conditions = conditions_of_invalid_spec(faults)
    written = as_manifest(conditions, before.get("conditions") or (), generation=generation, now=now)
    return {**before, "observedGeneration": generation, "conditions": written}


def status_of_refusal(
    planned: Mapping[str, Any], before: Mapping[str, Any], message: str, *, generation: int, now: datetime
) -> Manifest:
    """The API server refused what a plan asked for: what was planned does not come true."""
    refused = as_manifest(
        conditions_of_refusal(message), before.get("conditions") or (), generation=generation, now=now
    )
    overruled = {str(ConditionType.READY), str(ConditionType.STALLED), str(ConditionType.RECONCILING)}
    kept = {one["type"]: one for one in planned.get("conditions") or ()}
    conditions = [one if one["type"] in overruled else kept.get(one["type"], one) for one in refused]
    return {**planned, "observedGeneration": generation, "conditions": conditions}
