"""What every `Cluster` promises, as functions that a test runs against one, in memory or behind a real API server.

The Deployments here never get a pod (`replicas: 0`), so that a real cluster has nothing to do with them.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

import pytest

from tracking_operator.cluster.client import Cluster
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.resource.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    Manifest,
    Ref,
    ref_of,
)
from tracking_operator.resource.names import SERVER_UID_LABEL


class Others(Protocol):
    """Somebody who writes to the same cluster under another name than the operator's."""

    async def create(self, manifest: Manifest) -> Manifest: ...

    async def replace(self, manifest: Manifest) -> Manifest: ...


Promise = Callable[[Cluster, Others, str], Coroutine[Any, Any, None]]


def a_deployment(namespace: str, name: str = "served", **labels: str) -> Manifest:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **labels}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [
                        {
                            "name": "server",
                            "image": "example.invalid/server:1",
                            "env": [{"name": "ONE", "value": "1"}, {"name": "TWO", "value": "2"}],
                            "ports": [{"name": "http", "containerPort": 5000, "protocol": "TCP"}],
                        }
                    ]
                },
            },
        },
    }


def a_job(namespace: str, uid: str, name: str = "work") -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": namespace, "labels": {SERVER_UID_LABEL: uid}},
        "spec": {
            "suspend": True,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "containers": [{"name": "job", "image": "example.invalid/job:1"}],
                }
            },
        },
    }


def a_service(namespace: str, name: str = "served") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
    }


def a_config_map(namespace: str, name: str, data: dict[str, str], **metadata: Any) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "data": data,
    }


async def applying_creates_what_is_not_there(cluster: Cluster, _others: Others, namespace: str) -> None:
    assert await cluster.get(ref_of(a_deployment(namespace))) is None
    made = await cluster.apply(a_deployment(namespace))
    found = await cluster.get(ref_of(a_deployment(namespace)))
    assert found is not None
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    assert found["metadata"]["generation"] == 1
    assert found["metadata"]["creationTimestamp"]
    assert "managedFields" not in found["metadata"]


async def applying_the_same_again_changes_nothing(cluster: Cluster, _others: Others, namespace: str) -> None:
    first = await cluster.apply(a_deployment(namespace))
    for _ in range(3):
        again = await cluster.apply(a_deployment(namespace))
        assert again["metadata"]["generation"] == first["metadata"]["generation"]
    config = await cluster.apply(a_config_map(namespace, "steady", {"a": "1"}))
    again = await cluster.apply(a_config_map(namespace, "steady", {"a": "1"}))
    assert again["metadata"]["resourceVersion"] == config["metadata"]["resourceVersion"]


async def a_field_that_is_no_longer_applied_is_removed(cluster: Cluster, _others: Others, namespace: str) -> None:
    await cluster.apply(a_config_map(namespace, "shrinking", {"a": "1", "b": "2"}))
    after = await cluster.apply(a_config_map(namespace, "shrinking", {"a": "1"}))
    assert after["data"] == {"a": "1"}
    await cluster.apply(a_deployment(namespace, zone="x"))
    wanted = a_deployment(namespace)
    wanted["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "TWO", "value": "2"}]
    changed = await cluster.apply(wanted)
    assert changed["metadata"]["labels"] == {"app": "served"}
    assert changed["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "TWO", "value": "2"}]
    assert changed["metadata"]["generation"] == 2


async def fields_of_others_are_kept(cluster: Cluster, others: Others, namespace: str) -> None:
    made = await cluster.apply(a_config_map(namespace, "shared", {"ours": "1"}))
    made["data"]["theirs"] = "2"
    made["metadata"]["annotations"] = {"example.com/theirs": "yes"}
    await others.replace(made)
    after = await cluster.apply(a_config_map(namespace, "shared", {"ours": "3"}))
    assert after["data"] == {"ours": "3", "theirs": "2"}
    assert after["metadata"]["annotations"] == {"example.com/theirs": "yes"}


async def elements_of_others_are_kept(cluster: Cluster, others: Others, namespace: str) -> None:
    made = await cluster.apply(a_deployment(namespace))
    made["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "THEIRS", "value": "3"})
    await others.replace(made)
    wanted = a_deployment(namespace)
    wanted["spec"]["template"]["spec"]["containers"][0]["env"].pop()
    after = await cluster.apply(wanted)
    env = {one["name"]: one["value"] for one in after["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert env == {"ONE": "1", "THEIRS": "3"}


async def applying_takes_back_what_somebody_changed(cluster: Cluster, others: Others, namespace: str) -> None:
    made = await cluster.apply(a_deployment(namespace))
    made["spec"]["template"]["spec"]["containers"][0]["image"] = "example.invalid/other:2"
    await others.replace(made)
    after = await cluster.apply(a_deployment(namespace))
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "example.invalid/server:1"
    assert after["metadata"]["generation"] == 3


async def a_selector_is_one_value(cluster: Cluster, others: Others, namespace: str) -> None:
    wanted = a_service(namespace)
    made = await cluster.apply(wanted)
    made["spec"]["selector"] = {"app": "other", "more": "yes"}
    await others.replace(made)
    after = await cluster.apply(wanted)
    assert after["spec"]["selector"] == {"app": "served"}


async def scaling_leaves_the_template_alone(cluster: Cluster, _others: Others, namespace: str) -> None:
    wanted = a_deployment(namespace)
    made = await cluster.apply(wanted)
    await cluster.scale(ref_of(wanted), 0)
    same = await cluster.get(ref_of(wanted))
    assert same is not None
    assert same["metadata"]["generation"] == made["metadata"]["generation"]
    job = Ref(kind=DEPLOYMENT, namespace=namespace, name="nobody")
    with pytest.raises(NotReadyYet):
        await cluster.scale(job, 1)


async def an_immutable_field_is_refused(cluster: Cluster, _others: Others, namespace: str) -> None:
    wanted = a_deployment(namespace)
    await cluster.apply(wanted)
    wanted["spec"]["selector"]["matchLabels"]["more"] = "yes"
    wanted["spec"]["template"]["metadata"]["labels"]["more"] = "yes"
    with pytest.raises(ClusterRefused) as refused:
        await cluster.apply(wanted)
    assert refused.value.status == 422
    assert refused.value.reason == "Invalid"


async def the_status_of_what_is_gone_is_not_written(cluster: Cluster, _others: Others, namespace: str) -> None:
    with pytest.raises(NotReadyYet):
        await cluster.apply_status({**a_deployment(namespace), "status": {"observedGeneration": 1}})


async def making_a_job_twice_finds_the_first(cluster: Cluster, _others: Others, namespace: str) -> None:
    first = await cluster.create(a_job(namespace, "one"))
    second = await cluster.create(a_job(namespace, "one"))
    assert second["metadata"]["uid"] == first["metadata"]["uid"]


async def the_job_of_somebody_else_is_not_ours(cluster: Cluster, _others: Others, namespace: str) -> None:
    await cluster.create(a_job(namespace, "one"))
    with pytest.raises(ClusterRefused) as refused:
        await cluster.create(a_job(namespace, "two"))
    assert refused.value.status == 409


async def lists_are_selected_by_label_and_sorted(cluster: Cluster, _others: Others, namespace: str) -> None:
    for name, team in (("b", "red"), ("a", "red"), ("c", "blue")):
        await cluster.apply(a_config_map(namespace, name, {}, labels={"team": team, "all": "yes"}))
    found = await cluster.list(CONFIG_MAP, namespace, labels={"team": "red", "all": "yes"})
    assert [one["metadata"]["name"] for one in found] == ["a", "b"]
    assert all(one["kind"] == "ConfigMap" and one["apiVersion"] == "v1" for one in found)
    everywhere = await cluster.list(CONFIG_MAP, None, labels={"team": "blue"})
    assert (namespace, "c") in {(one["metadata"]["namespace"], one["metadata"]["name"]) for one in everywhere}
    assert await cluster.list(CONFIG_MAP, namespace, labels={"team": "green"}) == ()


async def metadata_comes_without_the_content(cluster: Cluster, others: Others, namespace: str) -> None:
    await others.create(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "kept", "namespace": namespace},
            "stringData": {"uri": "hidden"},
        }
    )
    found = await cluster.get_metadata(Ref(kind=SECRET, namespace=namespace, name="kept"))
    assert found is not None
    assert found["metadata"]["resourceVersion"]
    assert "hidden" not in str(found)
    assert "data" not in found
    assert await cluster.get_metadata(Ref(kind=SECRET, namespace=namespace, name="none")) is None


async def deleting_what_is_not_there_is_fine(cluster: Cluster, _others: Others, namespace: str) -> None:
    await cluster.delete(Ref(kind=SERVICE, namespace=namespace, name="none"))
    await cluster.delete(Ref(kind=JOB, namespace=namespace, name="none"), uid="1234")


async def only_the_object_that_was_meant_is_deleted(cluster: Cluster, _others: Others, namespace: str) -> None:
    made = await cluster.create(a_job(namespace, "one"))
    await cluster.delete(ref_of(made), uid="00000000-0000-0000-0000-000000000000")
    assert await cluster.get(ref_of(made)) is not None
    await cluster.delete(ref_of(made), uid=made["metadata"]["uid"])
    await _until_gone(cluster, ref_of(made))


async def what_an_object_owns_goes_with_it(cluster: Cluster, _others: Others, namespace: str) -> None:
    owner = await cluster.apply(a_config_map(namespace, "owner", {}))
    reference = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "name": "owner",
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    owned = a_config_map(namespace, "owned", {}, ownerReferences=[reference])
    free = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "free", "namespace": namespace},
    }
    await cluster.apply(owned)
    await cluster.apply(free)
    await cluster.delete(ref_of(owner))
    await _until_gone(cluster, ref_of(owned))
    assert await cluster.get(Ref(kind=SERVICE_ACCOUNT, namespace=namespace, name="free")) is not None


async def an_answer_belongs_to_the_caller(cluster: Cluster, _others: Others, namespace: str) -> None:
    made = await cluster.apply(a_config_map(namespace, "mine", {"a": "1"}))
    made["data"]["a"] = "2"
    found = await cluster.get(ref_of(made))
    assert found is not None
    assert found["data"] == {"a": "1"}


async def _until_gone(cluster: Cluster, ref: Ref) -> None:
    """A real cluster collects garbage in its own time; the cluster in memory at once."""
    for _ in range(300):
        if await cluster.get(ref) is None:
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{ref} is still there")


PROMISES: Final[tuple[Promise, ...]] = (
    applying_creates_what_is_not_there,
    applying_the_same_again_changes_nothing,
    a_field_that_is_no_longer_applied_is_removed,
    fields_of_others_are_kept,
    elements_of_others_are_kept,
    applying_takes_back_what_somebody_changed,
    a_selector_is_one_value,
    scaling_leaves_the_template_alone,
    an_immutable_field_is_refused,
    the_status_of_what_is_gone_is_not_written,
    making_a_job_twice_finds_the_first,
    the_job_of_somebody_else_is_not_ours,
    lists_are_selected_by_label_and_sorted,
    metadata_comes_without_the_content,
    deleting_what_is_not_there_is_fine,
    only_the_object_that_was_meant_is_deleted,
    what_an_object_owns_goes_with_it,
    an_answer_belongs_to_the_caller,
)
