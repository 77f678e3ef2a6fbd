"""The standing children: which there are, in which order, and what of the spec each carries."""

from typing import Any

import pytest

from tests.support.servers import EXTERNAL, S3, SHARED_VOLUME, SQLITE, UID, a_server, a_store, an_external_server
from tracking_operator.desired.bundle import children, foundation, workload
from tracking_operator.desired.deployment import can_roll, deployment
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.service import endpoint, service
from tracking_operator.desired.volume_claim import volume_claims
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import TrackingServer

DAILY = {"schedule": "0 4 * * *", "timeZone": "Europe/Berlin", "olderThan": "7d"}


def _all(server: TrackingServer) -> tuple[Manifest, ...]:
    return children(server, image="server:1", references="abc", places=CLUSTER)


def _deployment(server: TrackingServer, references: str = "") -> Manifest:
    return deployment(server, image="server:1", replicas=1, references=references, places=CLUSTER)


def _gc(server: TrackingServer) -> Manifest:
    return next(manifest for manifest in _all(server) if manifest["kind"] == "CronJob")


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param(
            a_server(gc=DAILY),
            [
                "ServiceAccount/demo",
                "PersistentVolumeClaim/demo-database",
                "PersistentVolumeClaim/demo-artifacts",
                "PersistentVolumeClaim/demo-backups",
                "Service/demo",
                "ConfigMap/demo-binding",
                "Deployment/demo",
                "CronJob/demo-gc",
            ],
            id="SQLite",
        ),
        pytest.param(
            an_external_server(upgrade={"backup": {"required": "Never"}}),
            [
                "ServiceAccount/demo",
                "PersistentVolumeClaim/demo-artifacts",
                "Service/demo",
                "ConfigMap/demo-binding",
                "Deployment/demo",
            ],
            id="external, without backups and gc",
        ),
        pytest.param(
            a_server(
                database={"sqlite": {"claimName": "old"}},
                artifacts={"store": {"volume": {"claimName": "old"}}},
                upgrade={"backup": {"method": {"dump": {"volume": {"claimName": "old"}}}}},
            ),
            ["ServiceAccount/demo", "Service/demo", "ConfigMap/demo-binding", "Deployment/demo"],
            id="claims of others",
        ),
        pytest.param(
            an_external_server(artifacts=a_store("s3", S3), upgrade={"backup": {"required": "Never"}}),
            ["ServiceAccount/demo", "Service/demo", "ConfigMap/demo-binding", "Deployment/demo"],
            id="a bucket",
        ),
    ],
)
def test_the_children_come_in_the_order_in_which_they_need_each_other(
    server: TrackingServer, expected: list[str]
) -> None:
    manifests = _all(server)
    assert [f"{manifest['kind']}/{manifest['metadata']['name']}" for manifest in manifests] == expected
    assert manifests == (
        *foundation(server),
        *workload(server, image="server:1", replicas=1, references="abc", places=CLUSTER, gc_is_suspended=False),
    )


@pytest.mark.parametrize("policy", ["Retain", "Delete"])
def test_only_volumes_outlive_the_resource_unless_they_shall_not(policy: str) -> None:
    manifests = _all(a_server(gc=DAILY, deletion={"policy": policy}))
    kept = {manifest["kind"] for manifest in manifests if "ownerReferences" not in manifest["metadata"]}
    assert kept == ({"PersistentVolumeClaim"} if policy == "Retain" else set())


def test_every_child_is_found_by_its_labels() -> None:
    wanted = names.owned_by("demo", UID).items()
    assert all(wanted <= manifest["metadata"]["labels"].items() for manifest in _all(a_server(gc=DAILY)))


def test_the_owner_is_the_resource() -> None:
    assert service(a_server())["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "trackplane.io/v1alpha1",
            "kind": "TrackingServer",
            "name": "demo",
            "uid": UID,
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]


def test_a_resource_that_was_never_on_a_cluster_owns_nothing_yet() -> None:
    for manifest in _all(a_server(uid="", gc=DAILY)):
        assert "ownerReferences" not in manifest["metadata"]
        assert names.SERVER_UID_LABEL not in manifest["metadata"]["labels"]


def test_a_claim_is_made_as_its_template_says() -> None:
    template = {
        "metadata": {"labels": {"velero": "yes"}, "annotations": {"a": "b"}},
        "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": "1Gi"}}},
    }
    claim, *_ = volume_claims(a_server(database={"sqlite": {"volumeClaimTemplate": template}}))
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "1Gi"}},
    }
    assert claim["metadata"]["labels"]["velero"] == "yes"
    assert claim["metadata"]["annotations"] == {"a": "b"}


def test_without_a_class_the_default_of_the_cluster_is_used() -> None:
    claim, *_ = volume_claims(a_server())
    assert "storageClassName" not in claim["spec"]


@pytest.mark.parametrize(
    ("fields", "port", "kind"),
    [
        pytest.param(
            {},
            {"name": "http", "port": 5000, "targetPort": "http", "protocol": "TCP"},
            "ClusterIP",
            id="by default",
        ),
        pytest.param(
            {"type": "NodePort", "port": 80, "nodePort": 30500},
            {"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP", "nodePort": 30500},
            "NodePort",
            id="a node port",
        ),
    ],
)
def test_the_service_has_the_wanted_port(fields: dict[str, Any], port: Manifest, kind: str) -> None:
    manifest = service(a_server(networking={"service": fields}))
    assert manifest["spec"] == {"type": kind, "selector": names.selector("demo"), "ports": [port]}


def test_the_service_carries_its_annotations() -> None:
    manifest = service(a_server(networking={"service": {"annotations": {"a": "b"}}}))
    assert manifest["metadata"]["annotations"] == {"a": "b"}


def test_the_endpoint_is_the_address_of_the_service() -> None:
    assert endpoint(a_server(networking={"service": {"port": 80}})) == "http://demo.ml.svc:80"


@pytest.mark.parametrize(
    ("server", "rolls"),
    [
        pytest.param(a_server(), False, id="SQLite"),
        pytest.param(a_server(artifacts=SHARED_VOLUME), False, id="SQLite with shared artifacts"),
        pytest.param(a_server(database=EXTERNAL), False, id="a volume of one node"),
        pytest.param(an_external_server(), True, id="external with shared artifacts"),
        pytest.param(
            a_server(database=EXTERNAL, artifacts={"store": {"volume": {"claimName": "files"}}}),
            False,
            id="a claim of unknown mode",
        ),
        pytest.param(
            a_server(database=EXTERNAL, artifacts={"store": {"volume": {"claimName": "files"}}}, replicas=2),
            True,
            id="a claim that the user shares between replicas",
        ),
    ],
)
def test_pods_roll_only_where_two_can_run_side_by_side(server: TrackingServer, rolls: bool) -> None:
    assert can_roll(server) == rolls
    manifest = _deployment(server)
    expected = {"maxUnavailable": 0, "maxSurge": 1}
    assert manifest["spec"]["strategy"].get("rollingUpdate") == (expected if rolls else None)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    assert ("lifecycle" in container) == rolls


def test_the_probes_ask_for_life_and_for_readiness() -> None:
    (container,) = _deployment(a_server())["spec"]["template"]["spec"]["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}


def test_a_changed_secret_makes_another_pod() -> None:
    first, second = (_deployment(an_external_server(), references)["spec"]["template"] for references in ("a", "b"))
    assert first != second
    assert first["metadata"]["annotations"] == {names.REFERENCES_ANNOTATION: "a"}


def test_without_secrets_a_pod_has_no_hash_of_them() -> None:
    assert "annotations" not in _deployment(a_server())["spec"]["template"]["metadata"]


@pytest.mark.parametrize(("suspend", "replicas"), [pytest.param(True, 0, id="yes"), pytest.param(False, 1, id="no")])
def test_a_suspended_server_keeps_its_children_and_runs_none(suspend: bool, replicas: int) -> None:
    manifests = {manifest["kind"]: manifest for manifest in _all(a_server(gc=DAILY, suspend=suspend))}
    assert manifests["Deployment"]["spec"]["replicas"] == replicas
    assert manifests["CronJob"]["spec"]["suspend"] is suspend


def test_gc_keeps_its_schedule() -> None:
    spec = _gc(a_server(gc=DAILY))["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == ("0 4 * * *", "Europe/Berlin", "Forbid")
    template = spec["jobTemplate"]["spec"]["template"]
    assert template["spec"]["restartPolicy"] == "Never"
    assert template["spec"]["containers"][0]["command"] == ["trackplane", "gc", "--older-than", "7d"]
    assert template["metadata"]["labels"][names.COMPONENT_LABEL] == names.GC


@pytest.mark.parametrize(
    ("fields", "follows"),
    [
        pytest.param({"database": SQLITE}, True, id="SQLite"),
        pytest.param({"database": EXTERNAL}, True, id="a volume of one node"),
        pytest.param({"database": EXTERNAL, "artifacts": SHARED_VOLUME}, False, id="nothing that is bound to a node"),
    ],
)
def test_gc_runs_beside_the_server_whose_volume_it_shares(fields: dict[str, Any], follows: bool) -> None:
    pod = _gc(a_server(gc=DAILY, **fields))["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert ("affinity" in pod) == follows
