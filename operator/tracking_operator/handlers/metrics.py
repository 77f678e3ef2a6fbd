"""What Prometheus may know of the operator. `docs/reference/metrics.md` lists exactly these; a test compares."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from tracking_operator.cluster.connection import Request
from tracking_operator.queue import Queue, Result
from tracking_operator.resource.kinds import Ref

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Told by the queue's workers (`WorkObserver`), by the connection (`Observer`) and by the handlers."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self.registry: Final = CollectorRegistry(auto_describe=True)
        self._reconciles = Counter(
            "trackplane_operator_reconciles",
            "Reconciles that ended, by result: done, gone, not_ready, refused, error.",
            ["result"],
            registry=self.registry,
        )
        self._reconcile_seconds = Histogram(
            "trackplane_operator_reconcile_seconds",
            "How long a reconcile took.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._workers_busy = Gauge(
            "trackplane_operator_workers_busy",
            "Reconciles under way.",
            registry=self.registry,
        )
        self._queue_seconds = Histogram(
            "trackplane_operator_queue_seconds",
            "How long an object that was due waited for a worker.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._queue_depth = Gauge(
            "trackplane_operator_queue_depth",
            "Objects that are due and wait for a worker.",
            registry=self.registry,
        )
        self._requests = Counter(
            "trackplane_operator_api_requests",
            "Requests to the API server; code 0 means that there was no answer.",
            ["verb", "resource", "code"],
            registry=self.registry,
        )
        self._request_seconds = Histogram(
            "trackplane_operator_api_request_seconds",
            "How long the API server took to answer; of a watch, until it began.",
            ["verb"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._watch_starts = Counter(
            "trackplane_operator_watch_starts",
            "Watches that began; they end every few minutes by design.",
            ["resource"],
            registry=self.registry,
        )
        self._leader = Gauge(
            "trackplane_operator_leader",
            "1 when this process leads.",
            registry=self.registry,
        )
        self.watches: Final = Watches(monotonic)
        self.servers: Final = Servers()
        self.registry.register(self.watches)
        self.registry.register(self.servers)
        for result in ("done", "error"):
            self._reconciles.labels(result)

    def describe_queue(self, queue: Queue) -> None:
        self._queue_depth.set_function(lambda: queue.depth(self._monotonic()))

    def lead(self, *, leads: bool) -> None:
        self._leader.set(int(leads))

    def started(self, waited_seconds: float) -> None:
        self._queue_seconds.observe(waited_seconds)
        self._workers_busy.inc()

    def finished(self, result: Result, seconds: float) -> None:
        self._workers_busy.dec()
        self._reconciles.labels(result).inc()
        self._reconcile_seconds.observe(seconds)

    def answered(self, request: Request, status: int, seconds: float) -> None:
        self._requests.labels(request.verb, request.resource, str(status)).inc()
        self._request_seconds.labels(request.verb).observe(seconds)

    def heard(self, request: Request, *, is_new: bool) -> None:
        self.watches.heard(request)
        if is_new:
            self._watch_starts.labels(request.resource).inc()

    def render(self) -> bytes:
        return generate_latest(self.registry)


class Watches(Collector):
    """When each watch that should be there was last heard of: it began, or brought an event or a bookmark."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._heard_at: dict[tuple[str, str], float] = {}

    def expect(self, resource: str, namespace: str) -> None:
        """From now on the watch should be there; an empty namespace means all."""
        self._heard_at.setdefault((resource, namespace), self._monotonic())

    def heard(self, request: Request) -> None:
        self._heard_at[request.resource, request.namespace] = self._monotonic()

    def silences(self) -> Mapping[tuple[str, str], float]:
        """Seconds since each watch was heard of, by resource and namespace."""
        now = self._monotonic()
        return {watch: now - heard_at for watch, heard_at in self._heard_at.items()}

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "trackplane_operator_watch_silence_seconds",
            "Seconds since a watch began, or brought an event or a bookmark; more than 75 is not healthy.",
            labels=["resource", "namespace"],
        )
        for (resource, namespace), seconds in self.silences().items():
            family.add_metric([resource, namespace], seconds)
        yield family


class Servers(Collector):
    """The conditions of every TrackingServer, as last seen."""

    def __init__(self) -> None:
        self._conditions: dict[Ref, tuple[tuple[str, str], ...]] = {}

    def seen(self, ref: Ref, body: Mapping[str, Any]) -> None:
        status: Mapping[str, Any] = body.get("status") or {}
        conditions: Iterable[Mapping[str, str]] = status.get("conditions") or ()
        self._conditions[ref] = tuple((condition["type"], condition["status"]) for condition in conditions)

    def gone(self, ref: Ref) -> None:
        self._conditions.pop(ref, None)

    def collect(self) -> Iterable[Metric]:
        count = GaugeMetricFamily("trackplane_trackingservers", "TrackingServers that the operator knows.")
        count.add_metric([], len(self._conditions))
        yield count
        family = GaugeMetricFamily(
            "trackplane_trackingserver_condition",
            "1 for the status (True, False, Unknown) that a condition of a TrackingServer has.",
            labels=["namespace", "name", "type", "status"],
        )
        for ref, conditions in self._conditions.items():
            for name, status in conditions:
                family.add_metric([ref.namespace, ref.name, name, status], 1)
        yield family
