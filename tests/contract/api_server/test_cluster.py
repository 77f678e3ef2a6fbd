"""The client over a real API server keeps the promises of `Cluster`."""

import asyncio

import pytest

from tests.support.api_server import Administrator, ApiServer, connected
from tests.support.cluster_contract import PROMISES, Promise
from tracking_operator.cluster.kubernetes_api import KubernetesCluster


@pytest.mark.parametrize("promise", [pytest.param(promise, id=promise.__name__) for promise in PROMISES])
def test_promises(api_server: ApiServer, namespace: str, promise: Promise) -> None:
    async def keep() -> None:
        async with connected(api_server) as connection:
            await promise(KubernetesCluster(connection.client), Administrator(api_server), namespace)

    asyncio.run(keep())
