"""What the cluster in memory cannot show: that a real API server takes every child and the status as they are, and that
its defaults are not mistaken for drift. Nothing runs in it, so the test plays the kubelet for one check."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from tests.support.api_server import ApiServer, connected
from tests.support.servers import EXTERNAL, SHARED_VOLUME, a_resource
from tracking_operator.cluster.client import Cluster
from tracking_operator.cluster.kubernetes_api import KubernetesCluster
from tracking_operator.reconcile import Outcome, ReconcileSettings, reconcile
from tracking_operator.resource.kinds import (
    CRON_JOB,
    DEPLOYMENT,
    JOB,
    TRACKING_SERVER,
    VOLUME_CLAIM,
    Kind,
    Manifest,
    Ref,
    ref_of,
)

NAME: Final = "demo"
SPECS: Final[Mapping[str, Mapping[str, Any]]] = {
    "embedded": {
        "gc": {"schedule": "0 4 * * *", "timeZone": "Europe/Berlin"},
        "networking": {"service": {"type": "NodePort", "annotations": {"example.com/a": "b"}}},
        "template": {
            "resources": {"requests": {"cpu": "1000m", "memory": "1024Mi"}, "limits": {"memory": "2048Mi"}},
            "tolerations": [{"key": "dedicated", "operator": "Exists"}],
            "nodeSelector": {"disk": "ssd"},
            "labels": {"team": "vision"},
            "affinity": {
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 1,
                            "podAffinityTerm": {
                                "topologyKey": "kubernetes.io/hostname",
                                "labelSelector": {"matchLabels": {"a": "b"}},
                            },
                        }
                    ]
                }
            },
        },
        "deletion": {"policy": "Delete"},
    },
    "external": {
        "database": EXTERNAL,
        "artifacts": SHARED_VOLUME,
        "replicas": 3,
        "imagePullSecrets": [{"name": "pull"}],
        "gc": {"schedule": "@daily"},
        "server": {"allowedHosts": ["mlflow.example.com"]},
    },
}


@dataclass(kw_only=True, slots=True)
class Counted:
    """The cluster, with every write that is asked of it written down."""

    cluster: Cluster
    writes: list[str] = field(default_factory=list[str])

    async def get(self, ref: Ref) -> Manifest | None:
        return await self.cluster.get(ref)

    async def get_metadata(self, ref: Ref) -> Manifest | None:
        return await self.cluster.get_metadata(ref)

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        return await self.cluster.list(kind, namespace, labels=labels)

    async def apply(self, manifest: Manifest) -> Manifest:
        self.writes.append(f"apply {ref_of(manifest)}")
        return await self.cluster.apply(manifest)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        self.writes.append(f"apply the status of {ref_of(manifest)}")
        return await self.cluster.apply_status(manifest)

    async def scale(self, ref: Ref, replicas: int) -> None:
        self.writes.append(f"scale {ref}")
        await self.cluster.scale(ref, replicas)

    async def create(self, manifest: Manifest) -> Manifest:
        self.writes.append(f"create {ref_of(manifest)}")
        return await self.cluster.create(manifest)

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        self.writes.append(f"delete {ref}")
        await self.cluster.delete(ref, uid=uid)


def _submit(server: ApiServer, namespace: str, spec: Mapping[str, Any]) -> None:
    resource = a_resource(namespace=namespace, **spec)
    for name in ("uid", "generation"):
        del resource["metadata"][name]
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "namespace": namespace}}
    server.create({**secret, "stringData": {"uri": "postgresql://db/mlflow"}})
    server.create(resource)


def _finish_check(server: ApiServer, job: Manifest) -> None:
    """As the kubelet and the controller of Jobs do it: a pod that has ended, then a Job that is complete."""
    metadata = job["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
    template = job["spec"]["template"]
    pod = server.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{metadata['name']}-0",
                "namespace": metadata["namespace"],
                "labels": template["metadata"]["labels"],
                "ownerReferences": [{**owner, "controller": True}],
            },
            "spec": template["spec"],
        }
    )
    moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = {
        "ok": True,
        "command": "db check",
        "dialect": "sqlite",
        "state": "Current",
        "mlflow": {"current": "dc11669786a5", "head": "dc11669786a5"},
        "trackplane": {"current": "0001", "head": "0001"},
        "additive": True,
    }
    ended = {"exitCode": 0, "startedAt": moment, "finishedAt": moment, "message": json.dumps(report)}
    container = {"name": "job", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
    _put_status(
        server, pod, {"phase": "Succeeded", "containerStatuses": [{**container, "state": {"terminated": ended}}]}
    )
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": moment} for kind in ("SuccessCriteriaMet", "Complete")
    ]
    _put_status(server, job, {"startTime": moment, "completionTime": moment, "succeeded": 1, "conditions": conditions})


def _put_status(server: ApiServer, manifest: Manifest, status: Mapping[str, Any]) -> None:
    root = "/api/v1" if manifest["kind"] == "Pod" else "/apis/batch/v1"
    metadata = manifest["metadata"]
    plural = f"{manifest['kind'].lower()}s"
    path = f"{root}/namespaces/{metadata['namespace']}/{plural}/{metadata['name']}/status"
    server.request("PATCH", path, {"status": status}, content_type="application/merge-patch+json")


def _conditions(resource: Manifest) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in resource["status"]["conditions"]}


def test_the_children_of_an_embedded_database_are_taken_as_they_are(api_server: ApiServer, namespace: str) -> None:
    asyncio.run(_from_nothing_to_rest(api_server, namespace, SPECS["embedded"]))


def test_the_children_of_an_external_database_are_taken_as_they_are(api_server: ApiServer, namespace: str) -> None:
    asyncio.run(_from_nothing_to_rest(api_server, namespace, SPECS["external"]))


async def _from_nothing_to_rest(api_server: ApiServer, namespace: str, spec: Mapping[str, Any]) -> None:
    await asyncio.to_thread(_submit, api_server, namespace, spec)
    ref = Ref(kind=TRACKING_SERVER, namespace=namespace, name=NAME)
    async with connected(api_server) as connection:
        cluster = Counted(cluster=KubernetesCluster(connection.client))

        async def reconciled() -> Outcome:
            settings = ReconcileSettings(server_image="example.invalid/server:1")
            return await reconcile(ref, cluster, datetime.now(UTC), settings)

        await reconciled()
        await _writes_nothing_more(cluster, reconciled)
        (check,) = await cluster.list(JOB, namespace)
        await asyncio.to_thread(_finish_check, api_server, check)
        await reconciled()
        await _writes_nothing_more(cluster, reconciled)
        assert await cluster.get(Ref(kind=DEPLOYMENT, namespace=namespace, name=NAME)) is not None
        assert await cluster.get(Ref(kind=CRON_JOB, namespace=namespace, name=f"{NAME}-gc")) is not None
        assert await cluster.list(VOLUME_CLAIM, namespace) != ()
        resource = await cluster.get(ref)
        assert resource is not None
        found = _conditions(resource)
        assert found["Ready"] == ("False", "RollingOut")
        assert found["SchemaCurrent"] == ("True", "UpToDate")
        assert found["DatabaseReachable"] == ("True", "Connected")
        assert resource["status"]["schema"]["trackplane"] == {"current": "0001", "head": "0001"}
        steps = {step["name"]: step["state"] for step in resource["status"]["upgrade"]["steps"]}
        assert steps["Check"] == "Succeeded"
        assert steps["RollOut"] == "Running"


async def _writes_nothing_more(cluster: Counted, reconciled: Any) -> None:
    """What a pass has written is answered by one more pass at most; after that there is nothing to do."""
    await reconciled()
    cluster.writes.clear()
    for _ in range(5):
        await reconciled()
    assert cluster.writes == []
