import asyncio
import copy
from datetime import UTC, datetime, timedelta

import pytest

from tracking_operator.cluster.lease import Clock, Elector, Terms
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import LEASE, SERVICE, Manifest, Ref

REF = Ref(kind=LEASE, namespace="system", name="trackplane-operator")
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class _World:
    """One Lease and one clock. `is_down` makes every request fail."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.lease: Manifest | None = None
        self.is_down = False
        self.writes = 0

    def elector(self, identity: str) -> Elector:
        clock = Clock(
            monotonic=lambda: self.seconds, sleep=self.sleep, wall=lambda: START + timedelta(seconds=self.seconds)
        )
        return Elector(self, REF, identity, terms=Terms(duration_seconds=15), clock=clock)

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    async def get(self, ref: Ref) -> Manifest | None:
        assert ref == REF
        self._fail_when_down()
        return copy.deepcopy(self.lease)

    async def create(self, manifest: Manifest) -> Manifest:
        self._fail_when_down()
        if self.lease is not None:
            raise ClusterRefused("it exists", status=409, reason="AlreadyExists")
        return self._store(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        self._fail_when_down()
        assert self.lease is not None
        if manifest["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
            raise NotReadyYet("conflict", delay_seconds=1)
        return self._store(manifest)

    def _store(self, manifest: Manifest) -> Manifest:
        self.writes += 1
        self.lease = copy.deepcopy(manifest)
        self.lease["metadata"]["resourceVersion"] = str(self.writes)
        return copy.deepcopy(self.lease)

    def _fail_when_down(self) -> None:
        if self.is_down:
            raise NotReadyYet("the API server does not answer", delay_seconds=5)

    @property
    def holder(self) -> str:
        assert self.lease is not None
        return str(self.lease["spec"]["holderIdentity"])


def test_the_first_one_makes_the_lease_and_leads() -> None:
    world = _World()
    first = world.elector("a")
    asyncio.run(first.acquire())
    assert first.leads
    assert world.lease == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "trackplane-operator", "namespace": "system", "resourceVersion": "1"},
        "spec": {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "acquireTime": "2026-01-02T03:04:05.000000Z",
            "renewTime": "2026-01-02T03:04:05.000000Z",
            "leaseTransitions": 0,
        },
    }


def test_another_one_waits_while_the_leader_renews() -> None:
    async def story() -> None:
        world = _World()
        first, second = world.elector("a"), world.elector("b")
        await first.acquire()
        for _ in range(20):
            world.seconds += 3
            assert await first.attempt()
            assert not await second.attempt()
        assert (first.leads, second.leads) == (True, False)

    asyncio.run(story())


def test_a_dead_leader_is_followed_when_its_lease_has_run_out() -> None:
    async def story() -> None:
        world = _World()
        await world.elector("a").acquire()
        second = world.elector("b")
        await second.acquire()
        assert 15 < world.seconds <= 15 + 3
        assert world.lease is not None
        assert world.lease["spec"]["leaseTransitions"] == 1
        assert world.holder == "b"

    asyncio.run(story())


def test_the_clock_of_the_leader_does_not_matter() -> None:
    async def story() -> None:
        world = _World()
        await world.elector("a").acquire()
        assert world.lease is not None
        world.lease["spec"]["renewTime"] = "1999-01-01T00:00:00.000000Z"
        second = world.elector("b")
        assert not await second.attempt()
        world.seconds += 14
        assert not await second.attempt()

    asyncio.run(story())


def test_a_leader_that_cannot_renew_stops_before_another_may_start() -> None:
    async def story() -> None:
        world = _World()
        first = world.elector("a")
        await first.acquire()
        world.is_down = True
        await first.keep()
        assert not first.leads
        assert first.write_budget_seconds() == 0
        assert world.seconds < 15

    asyncio.run(story())


def test_a_leader_outlives_a_short_outage() -> None:
    async def story() -> None:
        world = _World()
        first = world.elector("a")
        await first.acquire()
        world.is_down = True
        world.seconds += 9
        assert not await first.attempt()
        assert first.leads
        world.is_down = False
        assert await first.attempt()
        assert first.write_budget_seconds() == pytest.approx(13.5)

    asyncio.run(story())


def test_the_silence_of_the_api_server_is_known_to_who_waits() -> None:
    async def story() -> None:
        world = _World()
        await world.elector("a").acquire()
        second = world.elector("b")
        await second.attempt()
        assert second.silence_seconds() == 0
        world.is_down = True
        world.seconds += 100
        await second.attempt()
        assert second.silence_seconds() == 100

    asyncio.run(story())


def test_a_write_never_ends_after_the_lease() -> None:
    async def story() -> None:
        world = _World()
        first = world.elector("a")
        assert first.write_budget_seconds() == 0
        await first.acquire()
        for seconds, budget in ((0, 13.5), (5, 8.5), (9.9, 3.6), (10.1, 0)):
            world.seconds = seconds
            assert first.write_budget_seconds() == pytest.approx(budget)

    asyncio.run(story())


def test_a_release_lets_the_next_one_in_at_once() -> None:
    async def story() -> None:
        world = _World()
        first, second = world.elector("a"), world.elector("b")
        await first.acquire()
        assert not await second.attempt()
        await first.release()
        assert not first.leads
        assert await second.attempt()

    asyncio.run(story())


def test_who_does_not_lead_releases_nothing() -> None:
    async def story() -> None:
        world = _World()
        first, second = world.elector("a"), world.elector("b")
        await first.acquire()
        await second.release()
        assert world.holder == "a"

    asyncio.run(story())


def test_a_release_that_fails_is_only_slower() -> None:
    async def story() -> None:
        world = _World()
        first = world.elector("a")
        await first.acquire()
        world.is_down = True
        await first.release()
        assert not first.leads

    asyncio.run(story())


def test_a_restarted_process_takes_its_own_lease_up_again_at_once() -> None:
    async def story() -> None:
        world = _World()
        await world.elector("a").acquire()
        again = world.elector("a")
        assert await again.attempt()
        assert world.lease is not None
        assert world.lease["spec"]["leaseTransitions"] == 0

    asyncio.run(story())


def test_of_two_that_start_together_one_leads() -> None:
    async def story() -> None:
        world = _World()
        electors = [world.elector(name) for name in "abc"]
        won = await asyncio.gather(*(elector.attempt() for elector in electors))
        assert sorted(won) == [False, False, True]

    asyncio.run(story())


def test_only_a_lease_can_be_leased() -> None:
    with pytest.raises(ValueError, match="is not a Lease"):
        Elector(_World(), Ref(kind=SERVICE, namespace="a", name="b"), "me")
