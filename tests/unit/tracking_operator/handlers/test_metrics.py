from tracking_operator.cluster.connection import Request
from tracking_operator.handlers.metrics import Metrics
from tracking_operator.queue import Pace, Queue
from tracking_operator.resource.kinds import TRACKING_SERVER, Ref

REF = Ref(kind=TRACKING_SERVER, namespace="team", name="tracking")


def lines(metrics: Metrics) -> set[str]:
    return set(metrics.render().decode().splitlines())


def test_reconciles_are_counted_by_result() -> None:
    metrics = Metrics()
    metrics.started(waited_seconds=0.02)
    assert "trackplane_operator_workers_busy 1.0" in lines(metrics)
    metrics.finished("refused", 0.3)
    assert lines(metrics) >= {
        'trackplane_operator_reconciles_total{result="refused"} 1.0',
        "trackplane_operator_reconcile_seconds_count 1.0",
        "trackplane_operator_queue_seconds_count 1.0",
        "trackplane_operator_workers_busy 0.0",
    }


def test_requests_are_counted_by_verb_resource_and_code() -> None:
    metrics = Metrics()
    metrics.answered(Request(verb="patch", resource="deployments/scale", namespace="team"), 403, 0.01)
    counted = 'trackplane_operator_api_requests_total{code="403",resource="deployments/scale",verb="patch"} 1.0'
    assert counted in lines(metrics)


def test_the_depth_is_that_of_the_queue() -> None:
    now = 100.0
    metrics = Metrics(monotonic=lambda: now)
    queue = Queue(Pace())
    metrics.describe_queue(queue)
    queue.add(REF, 0)
    assert "trackplane_operator_queue_depth 1.0" in lines(metrics)


def test_the_conditions_of_an_object_are_those_it_has_now() -> None:
    metrics = Metrics()
    for status in ("False", "True"):
        metrics.servers.seen(REF, {"status": {"conditions": [{"type": "Ready", "status": status}]}})
    told = {line for line in lines(metrics) if line.startswith("trackplane_trackingserver_condition{")}
    assert told == {
        'trackplane_trackingserver_condition{name="tracking",namespace="team",status="True",type="Ready"} 1.0'
    }
    metrics.servers.gone(REF)
    assert "trackplane_trackingservers 0.0" in lines(metrics)


def test_the_silence_of_a_watch_ends_with_what_it_brings() -> None:
    now = 100.0
    metrics = Metrics(monotonic=lambda: now)
    metrics.watches.expect("pods", "team")
    now = 150.0
    silence = 'trackplane_operator_watch_silence_seconds{namespace="team",resource="pods"}'
    assert f"{silence} 50.0" in lines(metrics)
    metrics.heard(Request(verb="watch", resource="pods", namespace="team"), is_new=True)
    assert lines(metrics) >= {f"{silence} 0.0", 'trackplane_operator_watch_starts_total{resource="pods"} 1.0'}
