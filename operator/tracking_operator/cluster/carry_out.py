"""Does what a plan asks for, in its order, and decides nothing."""

from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from tracking_operator.cluster.client import Cluster
from tracking_operator.decisions.actions import Action, Apply, Create, Delete, Scale
from tracking_operator.decisions.events import EventReason, Report
from tracking_operator.resource.kinds import Manifest, Ref, ref_of


async def carry_out(
    actions: Iterable[Action], cluster: Cluster, *, versions: Mapping[Ref, str | None]
) -> tuple[Report, ...]:
    """Reports the drift that was corrected. `versions` are the resourceVersions that the plan was made from."""
    reports: list[Report] = []
    for action in actions:
        match action:
            case Apply(manifest=manifest, drift=drift):
                applied = await cluster.apply(manifest)
                ref = ref_of(manifest)
                # Something else may put the field back at once (an admission rule): then nothing was corrected.
                if drift and applied["metadata"]["resourceVersion"] != versions.get(ref):
                    note = f"{ref.kind.kind} {ref.name}: set back {', '.join(drift)}"
                    reports.append(Report(reason=EventReason.DRIFT_CORRECTED, note=note[:1024], related=ref))
            case Scale(ref=ref, replicas=replicas):
                await cluster.scale(ref, replicas)
            case Create(manifest=manifest):
                await cluster.create(manifest)
            case Delete(ref=ref, uid=uid):
                await cluster.delete(ref, uid=uid)
            case _ as never:
                assert_never(never)
    return tuple(reports)


async def write_status(resource: Mapping[str, Any], status: Manifest, cluster: Cluster) -> None:
    """Nothing is written when nothing has changed."""
    if resource.get("status") == status:
        return
    metadata = resource["metadata"]
    await cluster.apply_status(
        {
            "apiVersion": resource["apiVersion"],
            "kind": resource["kind"],
            "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")},
            "status": status,
        }
    )
