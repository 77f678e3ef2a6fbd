"""One leader among the replicas, elected through a Lease (coordination.k8s.io), and a bound on how long it may write.

The others judge a Lease by their own clock: it has run out when they have seen no change of it for its whole duration.
So clocks may differ; only their speed must not. A leader that cannot renew stops by itself, well before that moment.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import LEASE, Manifest, Ref

logger = logging.getLogger(__name__)


class LeaseStore(Protocol):
    """Where the Lease is: `KubernetesCluster`, without a bound on writes."""

    async def get(self, ref: Ref) -> Manifest | None: ...

    async def create(self, manifest: Manifest) -> Manifest:
        """Fails when there is one of that name."""
        ...

    async def replace(self, manifest: Manifest) -> Manifest:
        """Fails when the object has changed since it was read."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    wall: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """How long a Lease lasts, and what follows from it."""

    duration_seconds: int = 15

    @property
    def renew_seconds(self) -> float:
        """How often the leader renews, and the others look."""
        return self.duration_seconds / 5

    @property
    def give_up_seconds(self) -> float:
        """A leader that has not renewed for so long leads no more."""
        return self.duration_seconds * 2 / 3

    @property
    def attempt_seconds(self) -> float:
        """How long one renewal may take: two of them fit in before giving up."""
        return self.give_up_seconds / 2

    @property
    def write_seconds(self) -> float:
        """No write of a leader is under way longer than this after its last renewal began."""
        return self.duration_seconds * 0.9


_NEVER: Final = float("-inf")


class Elector:
    """`acquire`, then `keep` for as long as it lasts, then `release` once nothing writes any more."""

    def __init__(
        self, store: LeaseStore, ref: Ref, identity: str, *, terms: Terms | None = None, clock: Clock | None = None
    ) -> None:
        if ref.kind != LEASE:
            raise ValueError(f"{ref} is not a Lease")
        self._store = store
        self._ref = ref
        self._identity = identity
        self._terms = terms or Terms()
        self._clock = clock or Clock()
        self._renewed_at = _NEVER
        self._answered_at = self._clock.monotonic()
        self._seen_version = ""
        self._seen_at = _NEVER

    @property
    def leads(self) -> bool:
        return self._clock.monotonic() < self._renewed_at + self._terms.give_up_seconds

    def silence_seconds(self) -> float:
        """How long the API server has not answered about the Lease."""
        return self._clock.monotonic() - self._answered_at

    def write_budget_seconds(self) -> float:
        """How long a write that starts now may take; nothing when this process does not lead."""
        now = self._clock.monotonic()
        return self._renewed_at + self._terms.write_seconds - now if self.leads else 0

    async def acquire(self) -> None:
        """Waits until this process leads."""
        while not await self.attempt():
            await self._clock.sleep(self._terms.renew_seconds)
        logger.info("elected as leader", extra={"lease": str(self._ref), "identity": self._identity})

    async def keep(self) -> None:
        """Renews, and returns when this process leads no more."""
        while self.leads:
            await self._clock.sleep(self._terms.renew_seconds)
            await self.attempt()
        logger.warning("the lease is lost", extra={"lease": str(self._ref), "identity": self._identity})

    async def release(self) -> None:
        """Lets another one take over at once. Call it when nothing writes any more."""
        was_leading, self._renewed_at = self.leads, _NEVER
        if not was_leading:
            return
        try:
            lease = await self._store.get(self._ref)
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                await self._store.replace({**lease, "spec": {**lease["spec"], "holderIdentity": ""}})
        except (NotReadyYet, ClusterRefused) as exc:
            logger.warning("the lease was not released: it has to run out", extra={"error": str(exc)})

    async def attempt(self) -> bool:
        """Acquires or renews the Lease if that is possible now. Returns whether it was."""
        began = self._clock.monotonic()
        try:
            async with asyncio.timeout(self._terms.attempt_seconds):
                written = await self._write()
        except (NotReadyYet, ClusterRefused, TimeoutError) as exc:
            logger.warning("the lease cannot be read or written", extra={"lease": str(self._ref), "error": str(exc)})
            return False
        self._answered_at = self._clock.monotonic()
        if written:
            self._renewed_at = began
        return written

    async def _write(self) -> bool:
        lease = await self._store.get(self._ref)
        if lease is None:
            await self._store.create(self._manifest({}, transitions=0))
            return True
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen_version:
            self._seen_version, self._seen_at = version, self._clock.monotonic()
        spec: dict[str, Any] = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._has_run_out(spec):
            return False
        transitions = int(spec.get("leaseTransitions") or 0) + (holder != self._identity)
        await self._store.replace({**lease, **self._manifest(lease, transitions=transitions)})
        return True

    def _has_run_out(self, spec: dict[str, Any]) -> bool:
        duration = spec.get("leaseDurationSeconds") or self._terms.duration_seconds
        return self._clock.monotonic() > self._seen_at + duration

    def _manifest(self, lease: Manifest, *, transitions: int) -> Manifest:
        spec: dict[str, Any] = lease.get("spec") or {}
        now = self._clock.wall().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        was_ours = spec.get("holderIdentity") == self._identity
        return {
            "apiVersion": LEASE.api_version,
            "kind": LEASE.kind,
            "metadata": lease.get("metadata") or {"name": self._ref.name, "namespace": self._ref.namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": self._terms.duration_seconds,
                "acquireTime": spec.get("acquireTime", now) if was_ours else now,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        }
