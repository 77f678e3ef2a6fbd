"""Whole flows with objects that have the names of children and are not ours: they are left alone, and it is told."""

from typing import Any, Final

import pytest

from tests.support.clusters import CRON, SERVER, SERVES, World
from tests.support.servers import NAME, NAMESPACE
from tracking_operator.decisions.events import EventReason
from tracking_operator.resource import names
from tracking_operator.resource.kinds import (
    DEPLOYMENT,
    JOB,
    POD,
    SERVICE,
    SERVICE_ACCOUNT,
    VOLUME_CLAIM,
    Manifest,
    Ref,
    ref_of,
)

GC: Final[dict[str, Any]] = {"schedule": "@daily"}
FRONT: Final = Ref(kind=SERVICE, namespace=NAMESPACE, name=NAME)
ACCOUNT: Final = Ref(kind=SERVICE_ACCOUNT, namespace=NAMESPACE, name=NAME)


def an_object_of_somebody_else(ref: Ref) -> Manifest:
    labels = {"app": "other"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "other", "image": "other:1"}]}}
    spec: Manifest = {"selector": labels} if ref.kind == SERVICE else {}
    if ref.kind == DEPLOYMENT:
        strategy = {"type": "RollingUpdate"}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template, "strategy": strategy}
    elif ref == CRON:
        spec = {"schedule": "@yearly", "suspend": True, "jobTemplate": {"spec": {"template": template}}}
    metadata = {"name": ref.name, "namespace": ref.namespace, "labels": labels}
    return {"apiVersion": ref.kind.api_version, "kind": ref.kind.kind, "metadata": metadata, "spec": spec}


def writes_to(world: World, ref: Ref) -> list[str]:
    return [request.verb for request in world.cluster.requests if request.ref == ref]


def message_of(world: World, kind: str) -> str:
    return next(str(one["message"]) for one in world.status["conditions"] if one["type"] == kind)


@pytest.mark.parametrize("ref", [FRONT, SERVES, ACCOUNT, CRON], ids=lambda ref: ref.kind.kind)
def test_an_object_of_somebody_else_is_never_taken_over(ref: Ref) -> None:
    world = World()
    world.cluster.put(an_object_of_somebody_else(ref))
    world.submit(image="server:1", gc=GC)
    world.run(60)
    found = world.cluster.find(ref)
    assert found is not None
    assert found["spec"] == an_object_of_somebody_else(ref)["spec"]
    assert found["metadata"]["labels"] == {"app": "other"}
    assert writes_to(world, ref) == []
    assert world.cluster.objects(JOB) == ()
    assert world.condition("Ready") == ("False", "NameTaken")
    assert world.condition("Stalled") == ("True", "NameTaken")
    assert world.condition("Reconciling") is None
    assert f"{ref.kind.kind} {ref.name}. Delete what is named" in message_of(world, "Stalled")
    assert {"kind": ref.kind.kind, "name": ref.name} not in world.status["children"]
    assert world.events() == [EventReason.NAME_TAKEN]
    world.cluster.remove(ref)
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.condition("Stalled") is None
    assert writes_to(world, ref)


def test_a_cron_job_of_somebody_else_is_in_nobodys_way_when_no_collection_is_wanted() -> None:
    world = World()
    world.cluster.put(an_object_of_somebody_else(CRON))
    world.submit(image="server:1")
    world.run(30)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert writes_to(world, CRON) == []


def test_a_name_that_is_taken_while_the_server_serves_stops_nothing() -> None:
    world = World()
    world.submit(image="server:1", gc=GC)
    world.run(30)
    world.cluster.remove(FRONT)
    world.cluster.put(an_object_of_somebody_else(FRONT))
    before = len(writes_to(world, FRONT))
    world.edit(image="server:2")
    for _ in range(60):
        world.run(1)
        assert world.ready_pods == 1
    assert world.condition("Stalled") == ("True", "NameTaken")
    assert world.database.revision == 1
    assert len(writes_to(world, FRONT)) == before
    world.cluster.remove(FRONT)
    world.run(60)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.serving_image == "server:2"


def test_a_server_at_rest_tells_of_a_name_that_is_taken_and_stays_as_it_is() -> None:
    world = World()
    world.submit(image="server:1", gc=GC)
    world.run(30)
    world.cluster.remove(FRONT)
    world.cluster.put(an_object_of_somebody_else(FRONT))
    world.run(30)
    assert world.condition("Stalled") == ("True", "NameTaken")
    assert world.condition("Available") == ("True", "MinimumReplicasAvailable")
    world.drop(CRON)
    world.run(5)
    assert world.cluster.find(CRON) is not None
    assert world.events().count("NameTaken") == 1


def test_a_server_that_is_made_anew_waits_for_what_the_one_before_has_left() -> None:
    world = World()
    world.grace_seconds = 20
    world.submit(image="server:1", gc=GC)
    world.run(30)
    old = world.deployment
    uids = {claim["metadata"]["uid"] for claim in world.cluster.objects(VOLUME_CLAIM)}
    world.cluster.put({**old, "metadata": {**old["metadata"], "finalizers": ["example.org/slow"]}})
    world.drop(SERVER)
    world.submit(image="server:2", gc=GC)
    world.reports.clear()
    before = len(writes_to(world, SERVES))
    for _ in range(40):
        world.run(1)
        assert world.condition("Ready") == ("False", "WaitingForDeletion")
        assert world.condition("Reconciling") == ("True", "WaitingForDeletion")
        assert world.condition("Stalled") is None
        assert world.database.revision == 1
    assert "Deployment demo" in message_of(world, "Ready")
    assert len(writes_to(world, SERVES)) == before
    assert world.events() == []
    world.cluster.remove(SERVES)
    world.run(15)
    assert world.condition("Ready") == ("False", "WaitingForDeletion"), "its pod has not ended"
    assert world.database.revision == 1
    world.run(90)
    assert world.condition("Ready") == ("True", "AllReplicasReady")
    assert world.database.revision == 2
    assert {claim["metadata"]["uid"] for claim in world.cluster.objects(VOLUME_CLAIM)} == uids
    uid = world.resource["metadata"]["uid"]
    for kind in (VOLUME_CLAIM, POD):
        assert {one["metadata"]["labels"][names.SERVER_UID_LABEL] for one in world.cluster.objects(kind)} == {uid}


def test_deletion_of_a_server_leaves_the_object_of_somebody_else() -> None:
    world = World()
    theirs = world.cluster.put(an_object_of_somebody_else(FRONT))
    world.submit(image="server:1")
    world.run(5)
    world.drop(SERVER)
    world.run(5)
    assert world.cluster.find(ref_of(theirs)) == theirs
