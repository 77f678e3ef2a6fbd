from tracking_operator.cluster.connection import Request
from tracking_operator.handlers.metrics import Metrics
from tracking_operator.handlers.probes import Health, State
from tracking_operator.queue import Pace, Queue
from tracking_operator.resource.kinds import TRACKING_SERVER, Ref

REF = Ref(kind=TRACKING_SERVER, namespace="team", name="tracking")
BOOKMARK = Request(verb="watch", resource="trackingservers", namespace="")


class _World:
    def __init__(self) -> None:
        self.now = 1000.0
        self.metrics = Metrics(monotonic=lambda: self.now)
        self.queue = Queue(Pace(jitter=0))
        self.state = State(self.metrics, self.queue, monotonic=lambda: self.now)
        self.state.unready_because = ""

    @property
    def faults(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        health = self.state.health()
        return health.ready_faults, health.live_faults


def test_a_process_that_starts_is_alive_and_not_ready() -> None:
    world = _World()
    world.state.unready_because = "the CRD is not installed"
    assert world.faults == (("the CRD is not installed",), ())


def test_a_standby_is_ready_however_long_it_waits() -> None:
    world = _World()
    world.now += 1_000_000
    assert world.faults == ((), ())


def test_a_standby_that_hears_nothing_of_the_lease_is_not_ready() -> None:
    world = _World()
    world.state.lease_silence_seconds = lambda: 200
    assert world.faults == (("the Lease cannot be read since 200 s",), ())


def test_a_watch_that_brings_bookmarks_is_well() -> None:
    world = _World()
    world.metrics.watches.expect("trackingservers", "")
    for _ in range(100):
        world.now += 60
        world.metrics.heard(BOOKMARK, is_new=False)
        assert world.faults == ((), ())


def test_a_silent_watch_is_first_not_ready_and_then_not_alive() -> None:
    world = _World()
    world.metrics.heard(BOOKMARK, is_new=True)
    world.now += 200
    said = "the watch of trackingservers in all namespaces is silent since 200 s"
    assert world.faults == ((said,), ())
    world.now += 200
    said = "the watch of trackingservers in all namespaces is silent since 400 s"
    assert world.state.health() == Health(ready_faults=(said,), live_faults=(said,))


def test_a_watch_that_never_began_is_missed_too() -> None:
    world = _World()
    world.metrics.watches.expect("secrets", "team")
    world.now += 301
    assert world.faults[1] == ("the watch of secrets in team is silent since 301 s",)


def test_an_object_that_nobody_takes_is_told() -> None:
    world = _World()
    world.queue.add(REF, world.now)
    world.now += 130
    assert world.faults == (("an object waits for a worker since 130 s",), ())


def test_work_that_does_not_end_is_mended_by_a_restart() -> None:
    world = _World()
    world.queue.add(REF, world.now)
    world.now += 1
    assert world.queue.take(world.now)
    world.now += 901
    assert world.faults == ((), ("a reconcile is under way since 901 s",))
