"""Events (events.k8s.io/v1) about a TrackingServer: what `kubectl describe` shows of what the operator did.

The same event again becomes a count on the first one, written at most once a minute; an object about which too much
is said is cut short. An Event that cannot be written is a warning in the log: it never holds up the work.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from tracking_operator.decisions.events import LONGEST_NOTE, Report
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import EVENT, Manifest, Ref
from tracking_operator.resource.names import FIELD_MANAGER

logger = logging.getLogger(__name__)

SERIES_ENDS_AFTER: Final = timedelta(minutes=10)
"""An event that was not seen for so long is a new one."""
SERIES_WRITTEN_EVERY: Final = timedelta(minutes=1)
EVENTS_AT_ONCE: Final = 25
"""About one object, before it is limited to one in so many seconds:"""
SECONDS_AN_EVENT: Final = 60
REMEMBERED: Final = 4096
ACTION: Final = "Reconcile"
"""The API wants one; the reason says more."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class EventStore(Protocol):
    async def create(self, manifest: Manifest) -> Manifest: ...

    async def apply(self, manifest: Manifest) -> Manifest: ...


@dataclass(kw_only=True, slots=True)
class _Series:
    manifest: Manifest
    count: int
    seen_at: datetime
    written_at: datetime


@dataclass(kw_only=True, slots=True)
class _Bucket:
    tokens: float
    filled_at: datetime


class _Newest(Generic[K, V]):
    """A dictionary that forgets what was used least recently."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        if key in self._items:
            self._items.move_to_end(key)
        return self._items.get(key)

    def set(self, key: K, value: V) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._size:
            self._items.popitem(last=False)

    def drop(self, key: K) -> None:
        self._items.pop(key, None)


class Recorder:
    """`instance` is this process, as `kubectl get events -o wide` shows it."""

    def __init__(
        self, store: EventStore, instance: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._store = store
        self._instance = instance
        self._now = now
        self._series: _Newest[Hashable, _Series] = _Newest(REMEMBERED)
        self._buckets: _Newest[str, _Bucket] = _Newest(REMEMBERED)

    async def record(self, regarding: Ref, uid: str, report: Report) -> None:
        """Writes the event about the object with that uid, counts it, or drops it."""
        now = self._now()
        key = (uid, report)
        series = self._series.get(key)
        try:
            if series is not None and now - series.seen_at <= SERIES_ENDS_AFTER:
                await self._repeat(series, now)
            elif self._may_speak(uid, now):
                manifest = self._manifest(regarding, uid, report, now)
                await self._store.create(manifest)
                self._series.set(key, _Series(manifest=manifest, count=1, seen_at=now, written_at=now))
        except (NotReadyYet, ClusterRefused) as exc:
            self._series.drop(key)
            facts = {"object": str(regarding), "event": report.reason.value, "error": str(exc)}
            logger.warning("an Event was not written", extra=facts)

    async def _repeat(self, series: _Series, now: datetime) -> None:
        series.count += 1
        series.seen_at = now
        if series.count == 2 or now - series.written_at >= SERIES_WRITTEN_EVERY:
            series.written_at = now
            counted = {"count": series.count, "lastObservedTime": _micro_time(now)}
            await self._store.apply({**series.manifest, "series": counted})

    def _may_speak(self, uid: str, now: datetime) -> bool:
        bucket = self._buckets.get(uid) or _Bucket(tokens=EVENTS_AT_ONCE, filled_at=now)
        gained = (now - bucket.filled_at).total_seconds() / SECONDS_AN_EVENT
        tokens = min(bucket.tokens + gained, EVENTS_AT_ONCE)
        may_speak = tokens >= 1
        self._buckets.set(uid, _Bucket(tokens=tokens - may_speak, filled_at=now))
        return may_speak

    def _manifest(self, regarding: Ref, uid: str, report: Report, now: datetime) -> Manifest:
        since_epoch = (now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        manifest: Manifest = {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{regarding.name}.{since_epoch:x}", "namespace": regarding.namespace},
            "eventTime": _micro_time(now),
            "reportingController": FIELD_MANAGER,
            "reportingInstance": self._instance[:128],
            "regarding": {**_reference(regarding), "uid": uid},
            "type": report.type,
            "reason": report.reason.value,
            "action": ACTION,
            "note": _shortened(report.note),
        }
        return manifest if report.related is None else {**manifest, "related": _reference(report.related)}


def _reference(ref: Ref) -> Manifest:
    return {
        "apiVersion": ref.kind.api_version,
        "kind": ref.kind.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def _micro_time(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _shortened(note: str) -> str:
    """The API server counts bytes."""
    encoded = note.encode()
    return note if len(encoded) <= LONGEST_NOTE else encoded[: LONGEST_NOTE - 3].decode(errors="ignore") + "..."
