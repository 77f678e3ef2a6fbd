"""A real API server takes our Events, and counts on them."""

import asyncio

from tests.support.api_server import ApiServer, connected
from tracking_operator.cluster.events import Recorder
from tracking_operator.cluster.kubernetes_api import KubernetesCluster
from tracking_operator.decisions.events import EventReason, Report
from tracking_operator.resource.kinds import DEPLOYMENT, EVENT, TRACKING_SERVER, Ref


def test_an_event_is_stored_and_counted(api_server: ApiServer, namespace: str) -> None:
    async def story() -> None:
        async with connected(api_server) as connection:
            cluster = KubernetesCluster(connection.client)
            recorder = Recorder(cluster, "operator-0")
            server = Ref(kind=TRACKING_SERVER, namespace=namespace, name="tracking")
            drift = Report(
                reason=EventReason.DRIFT_CORRECTED,
                note="spec.replicas",
                related=Ref(kind=DEPLOYMENT, namespace=namespace, name="tracking"),
            )
            for _ in range(3):
                await recorder.record(server, "1f6c", drift)
            (event,) = await cluster.list(EVENT, namespace)
            assert event["reason"] == "DriftCorrected"
            assert event["series"]["count"] == 2
            assert event["regarding"]["name"] == "tracking"

    asyncio.run(story())
