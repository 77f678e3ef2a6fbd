"""Two electors and one Lease on a real API server."""

import asyncio

import pytest

from tests.support.api_server import ApiServer, connected
from tracking_operator.cluster.kubernetes_api import KubernetesCluster
from tracking_operator.cluster.lease import Elector, Terms
from tracking_operator.errors import NotReadyYet
from tracking_operator.resource.kinds import LEASE, Ref

BRIEF = Terms(duration_seconds=2)


def test_one_of_two_leads_and_hands_over_at_once(api_server: ApiServer, namespace: str) -> None:
    async def story() -> None:
        async with connected(api_server) as connection:
            store = KubernetesCluster(connection.client)
            ref = Ref(kind=LEASE, namespace=namespace, name="operator")
            first, second = (Elector(store, ref, identity) for identity in ("first", "second"))
            await first.acquire()
            assert not await second.attempt()
            assert await first.attempt()
            await first.release()
            assert await second.attempt()
            assert not await first.attempt()
            lease = await store.get(ref)
            assert lease is not None
            assert lease["spec"]["holderIdentity"] == "second"
            assert lease["spec"]["leaseTransitions"] == 1

    asyncio.run(story())


def test_only_one_of_many_gets_a_new_lease(api_server: ApiServer, namespace: str) -> None:
    async def story() -> None:
        async with connected(api_server) as connection:
            store = KubernetesCluster(connection.client)
            ref = Ref(kind=LEASE, namespace=namespace, name="operator")
            electors = [Elector(store, ref, f"elector-{number}") for number in range(8)]
            won = await asyncio.gather(*(elector.attempt() for elector in electors))
            assert sum(won) == 1

    asyncio.run(story())


def test_a_leader_that_died_is_followed_when_its_lease_has_run_out(api_server: ApiServer, namespace: str) -> None:
    async def story() -> None:
        async with connected(api_server) as connection:
            store = KubernetesCluster(connection.client)
            ref = Ref(kind=LEASE, namespace=namespace, name="operator")
            dead, next_one = (Elector(store, ref, identity, terms=BRIEF) for identity in ("dead", "next"))
            await dead.acquire()
            await asyncio.wait_for(next_one.acquire(), timeout=10)
            assert not dead.leads
            assert next_one.leads

    asyncio.run(story())


def test_the_fence_of_the_client_is_the_lease(api_server: ApiServer, namespace: str) -> None:
    async def story() -> None:
        async with connected(api_server) as connection:
            ref = Ref(kind=LEASE, namespace=namespace, name="operator")
            elector = Elector(KubernetesCluster(connection.client), ref, "leader")
            fenced = KubernetesCluster(connection.client, write_budget_seconds=elector.write_budget_seconds)
            config = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "written", "namespace": namespace},
                "data": {"by": "the leader"},
            }
            with pytest.raises(NotReadyYet, match="not the leader"):
                await fenced.apply(config)
            assert await fenced.list(LEASE, namespace) == ()
            await elector.acquire()
            await fenced.apply(config)
            await elector.release()
            with pytest.raises(NotReadyYet, match="not the leader"):
                await fenced.apply(config)

    asyncio.run(story())
