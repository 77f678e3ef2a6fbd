import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tracking_operator.cluster.events import Recorder
from tracking_operator.decisions.events import EventReason, Report
from tracking_operator.errors import ClusterRefused
from tracking_operator.resource.kinds import DEPLOYMENT, TRACKING_SERVER, Manifest, Ref

SERVER = Ref(kind=TRACKING_SERVER, namespace="team", name="tracking")
UID = "1f6c"


def a_report(
    note: str = "Job tracking-migrate-0123456789",
    reason: EventReason = EventReason.MIGRATION_STARTED,
    related: Ref | None = None,
) -> Report:
    return Report(reason=reason, note=note, related=related)


class _World:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
        self.created: list[Manifest] = []
        self.applied: list[Manifest] = []
        self.refuses = False
        self.recorder = Recorder(self, "operator-0", now=lambda: self.now)

    async def create(self, manifest: Manifest) -> Manifest:
        if self.refuses:
            raise ClusterRefused("no", status=403, reason="Forbidden")
        self.created.append(manifest)
        return manifest

    async def apply(self, manifest: Manifest) -> Manifest:
        self.applied.append(manifest)
        return manifest

    def record(self, report: Report | None = None, *, uid: str = UID, after_seconds: float = 0) -> None:
        self.now += timedelta(seconds=after_seconds)
        asyncio.run(self.recorder.record(SERVER, uid, report or a_report()))


def test_an_event_is_about_the_object_and_says_who_reports_it() -> None:
    world = _World()
    world.record(a_report(related=Ref(kind=DEPLOYMENT, namespace="team", name="tracking")))
    assert world.created == [
        {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": "tracking.6475ef64cf5e6", "namespace": "team"},
            "eventTime": "2026-01-02T03:04:05.000678Z",
            "reportingController": "trackplane-operator",
            "reportingInstance": "operator-0",
            "regarding": {
                "apiVersion": "trackplane.io/v1alpha1",
                "kind": "TrackingServer",
                "namespace": "team",
                "name": "tracking",
                "uid": "1f6c",
            },
            "related": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "team", "name": "tracking"},
            "type": "Normal",
            "reason": "MigrationStarted",
            "action": "Reconcile",
            "note": "Job tracking-migrate-0123456789",
        }
    ]


def test_the_same_again_is_a_count_on_the_first_one() -> None:
    world = _World()
    world.record()
    world.record(after_seconds=1)
    assert len(world.created) == 1
    first = world.created[0]
    assert world.applied == [{**first, "series": {"count": 2, "lastObservedTime": "2026-01-02T03:04:06.000678Z"}}]


def test_the_count_is_written_once_a_minute() -> None:
    world = _World()
    for _ in range(130):
        world.record(after_seconds=1)
    assert len(world.created) == 1
    assert [event["series"]["count"] for event in world.applied] == [2, 62, 122]


def test_after_a_silence_it_is_a_new_event() -> None:
    world = _World()
    world.record()
    world.record(after_seconds=601)
    assert [event["metadata"]["name"] for event in world.created] == [
        "tracking.6475ef64cf5e6",
        "tracking.6475f1a1f7e26",
    ]
    assert world.applied == []


def test_another_note_is_another_event() -> None:
    world = _World()
    for note in ("spec.replicas", "spec.template"):
        world.record(a_report(note=note))
    assert [event["note"] for event in world.created] == ["spec.replicas", "spec.template"]


def test_who_talks_too_much_is_cut_short_and_the_others_are_not() -> None:
    world = _World()
    for number in range(40):
        world.record(a_report(note=str(number)))
    assert len(world.created) == 25
    world.record(uid="another")
    assert len(world.created) == 26
    world.record(a_report(note="later"), after_seconds=60)
    assert world.created[-1]["note"] == "later"


def test_a_refusal_is_logged_and_does_not_hold_up_the_work(caplog: pytest.LogCaptureFixture) -> None:
    world = _World()
    world.refuses = True
    world.record()
    assert [record.message for record in caplog.records] == ["an Event was not written"]
    world.refuses = False
    world.record(after_seconds=1)
    assert len(world.created) == 1


def test_a_long_note_is_shortened_to_what_is_allowed() -> None:
    world = _World()
    world.record(a_report(note="ü" * 2000))
    note = world.created[0]["note"]
    assert len(note.encode()) <= 1024
    assert note.endswith("ü...")
