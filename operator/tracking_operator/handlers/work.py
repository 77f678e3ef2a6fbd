"""One reconcile as the workers of the queue see it: the object, then when to come back."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeAlias

from tracking_operator.cluster.client import Cluster
from tracking_operator.cluster.events import Recorder
from tracking_operator.queue import Done, Gone
from tracking_operator.reconcile import ReconcileSettings, reconcile
from tracking_operator.resource.kinds import Ref

logger = logging.getLogger(__name__)

Work: TypeAlias = Callable[[Ref], Awaitable[Done | Gone]]


def make_work(cluster: Cluster, recorder: Recorder, settings: ReconcileSettings) -> Work:
    async def work(ref: Ref) -> Done | Gone:
        outcome = await reconcile(ref, cluster, datetime.now(UTC), settings)
        if outcome.resource is None:
            return Gone()
        uid: str = outcome.resource["metadata"]["uid"]
        for report in outcome.reports:
            level = logging.INFO if report.type == "Normal" else logging.WARNING
            logger.log(level, "event", extra={"object": str(ref), "event": report.reason.value, "note": report.note})
            await recorder.record(ref, uid, report)
        return Done(delay_seconds=outcome.requeue_seconds)

    return work
