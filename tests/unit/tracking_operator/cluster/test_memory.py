"""The cluster in memory keeps the promises of `Cluster`, and those that a real API server keeps by running things."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.support.cluster_contract import PROMISES, Promise, a_config_map, a_deployment
from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.resource.kinds import POD, TRACKING_SERVER, Manifest, Ref, ref_of


def a_cluster() -> MemoryCluster:
    return MemoryCluster(lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@dataclass(frozen=True, kw_only=True, slots=True)
class OthersInMemory:
    cluster: MemoryCluster

    async def create(self, manifest: Manifest) -> Manifest:
        return self.cluster.put(manifest)

    async def replace(self, manifest: Manifest) -> Manifest:
        return self.cluster.put(manifest)


@pytest.mark.parametrize("promise", [pytest.param(one, id=getattr(one, "__name__", "")) for one in PROMISES])
def test_the_cluster_in_memory_keeps_its_promise(promise: Promise) -> None:
    cluster = a_cluster()
    asyncio.run(promise(cluster, OthersInMemory(cluster=cluster), "lab"))


def a_server() -> Manifest:
    return {
        "apiVersion": "trackplane.io/v1alpha1",
        "kind": "TrackingServer",
        "metadata": {"name": "lab", "namespace": "lab"},
        "spec": {"replicas": 1},
    }


def test_the_status_is_written_apart_and_only_when_it_changes() -> None:
    cluster = a_cluster()
    made = cluster.put(a_server())
    status = {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True"}]}
    first = asyncio.run(cluster.apply_status({**a_server(), "status": status}))
    again = asyncio.run(cluster.apply_status({**a_server(), "status": status}))
    assert first["spec"] == made["spec"]
    assert first["metadata"]["generation"] == 1
    assert first["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    assert again["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    less = asyncio.run(cluster.apply_status({**a_server(), "status": {"observedGeneration": 1}}))
    assert less["status"] == {"observedGeneration": 1}


def test_a_change_of_the_spec_raises_the_generation_and_keeps_the_status() -> None:
    cluster = a_cluster()
    cluster.put(a_server())
    cluster.set_status(Ref(kind=TRACKING_SERVER, namespace="lab", name="lab"), {"observedGeneration": 1})
    edited = a_server()
    edited["spec"]["replicas"] = 2
    after = cluster.put(edited)
    assert after["metadata"]["generation"] == 2
    assert after["status"] == {"observedGeneration": 1}


def test_a_running_pod_stays_until_its_kubelet_has_ended_it() -> None:
    cluster = a_cluster()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "lab"}}
    ref = ref_of(pod)
    cluster.put({**pod, "status": {"phase": "Running"}})
    asyncio.run(cluster.delete(ref))
    dying = cluster.find(ref)
    assert dying is not None
    assert dying["metadata"]["deletionTimestamp"] == "2026-01-02T03:04:05Z"
    cluster.remove(ref)
    assert cluster.objects(POD) == ()


def test_a_finalizer_holds_an_object_until_it_is_taken_off() -> None:
    cluster = a_cluster()
    held = a_server()
    held["metadata"]["finalizers"] = ["example.com/hold"]
    made = cluster.put(held)
    asyncio.run(cluster.delete(ref_of(made)))
    found = cluster.find(ref_of(made))
    assert found is not None
    assert found["metadata"]["deletionTimestamp"]
    found["metadata"]["finalizers"] = []
    cluster.put(found)
    assert cluster.find(ref_of(made)) is None


def test_changes_and_requests_are_told() -> None:
    cluster = a_cluster()
    seen: list[Ref] = []
    cluster.subscribe(seen.append)
    asyncio.run(cluster.apply(a_config_map("lab", "one", {})))
    asyncio.run(cluster.apply(a_config_map("lab", "one", {})))
    asyncio.run(cluster.delete(ref_of(a_deployment("lab"))))
    assert [ref.name for ref in seen] == ["one"]
    assert [(request.verb, request.changed) for request in cluster.requests] == [
        ("apply", True),
        ("apply", False),
        ("delete", False),
    ]
