import pytest

from tests.support.servers import a_server, an_external_server
from tracking_operator.desired.commands import Command
from tracking_operator.desired.places import CLUSTER
from tracking_operator.desired.pod_template import (
    Anywhere,
    BesideServer,
    Container,
    OnNode,
    Placement,
    pod_template,
)
from tracking_operator.desired.volume_claim import ARTIFACTS, BACKUPS, DATABASE
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.spec import EnvFromSecret, EnvValue, SecretKey, TrackingServer


def a_template(
    server: TrackingServer | None = None,
    *,
    command: Command | None = None,
    volumes: tuple[str, ...] = (DATABASE, ARTIFACTS),
    placement: Placement | None = None,
    annotations: dict[str, str] | None = None,
) -> Manifest:
    container = Container(
        name="server", image="server:1", command=command or Command(argv=("run",), env=()), volumes=volumes
    )
    return pod_template(
        server or a_server(),
        names.SERVER,
        container,
        CLUSTER,
        placement=placement or Anywhere(),
        annotations=annotations,
    )


def _container(template: Manifest) -> Manifest:
    containers: list[Manifest] = template["spec"]["containers"]
    (container,) = containers
    return container


def test_a_pod_is_locked_down() -> None:
    template = a_template()
    assert template["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert _container(template)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["spec"]["enableServiceLinks"] is False
    assert template["spec"]["serviceAccountName"] == "demo"


def test_ids_that_are_not_given_are_left_to_the_platform() -> None:
    template = a_template(a_server(template={"securityContext": {}}))
    assert template["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize(
    ("server", "volumes", "expected"),
    [
        pytest.param(
            a_server(),
            (DATABASE, ARTIFACTS),
            {
                "/var/lib/trackplane/database": "demo-database",
                "/var/lib/trackplane/artifacts": "demo-artifacts",
                "/tmp": None,
            },
            id="SQLite",
        ),
        pytest.param(
            an_external_server(),
            (DATABASE, ARTIFACTS),
            {"/var/lib/trackplane/artifacts": "demo-artifacts", "/tmp": None},
            id="an external database",
        ),
        pytest.param(
            a_server(database={"sqlite": {"claimName": "old"}}),
            (DATABASE, BACKUPS),
            {"/var/lib/trackplane/database": "old", "/var/lib/trackplane/backups": "demo-backups", "/tmp": None},
            id="a claim of others",
        ),
        pytest.param(
            a_server(upgrade={"backup": {"required": "Never"}}),
            (BACKUPS,),
            {"/tmp": None},
            id="no backups",
        ),
    ],
)
def test_a_pod_mounts_the_volumes_that_it_needs_and_that_exist(
    server: TrackingServer, volumes: tuple[str, ...], expected: dict[str, str | None]
) -> None:
    template = a_template(server, volumes=volumes)
    claims = {
        volume["name"]: volume.get("persistentVolumeClaim", {}).get("claimName")
        for volume in template["spec"]["volumes"]
    }
    mounts = {mount["mountPath"]: claims[mount["name"]] for mount in _container(template)["volumeMounts"]}
    assert mounts == expected


def test_secrets_reach_a_container_by_reference() -> None:
    env = (
        EnvValue(name="PLAIN", value="text"),
        EnvFromSecret(name="SECRET", secret_key_ref=SecretKey(name="database", key="uri")),
    )
    assert _container(a_template(command=Command(argv=(), env=env)))["env"] == [
        {"name": "PLAIN", "value": "text"},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}},
    ]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param(Command(argv=("a", "b"), env=()), {"command": ["a", "b"]}, id="a command"),
        pytest.param(Command(argv=(), args=("c",), env=()), {"args": ["c"]}, id="arguments for the image's own"),
        pytest.param(Command(argv=(), env=()), {}, id="the image's own"),
    ],
)
def test_words_that_are_not_given_are_left_to_the_image(command: Command, expected: Manifest) -> None:
    container = _container(a_template(command=command))
    assert {key: container[key] for key in ("command", "args") if key in container} == expected


def test_the_report_is_read_from_the_file_that_the_command_writes() -> None:
    container = _container(a_template())
    assert container["terminationMessagePath"] == CLUSTER.report
    assert container["terminationMessagePolicy"] == "File"


def test_the_user_decides_on_placement_and_resources() -> None:
    affinity: Manifest = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}
    toleration = {"key": "dedicated", "operator": "Exists"}
    server = a_server(
        imagePullPolicy="Always",
        imagePullSecrets=[{"name": "registry"}],
        template={
            "resources": {"limits": {"memory": "2Gi"}},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [toleration],
            "affinity": affinity,
            "labels": {"team": "vision"},
            "annotations": {"a": "b"},
        },
    )
    template = a_template(server, annotations={"trackplane.io/references": "1"})
    spec = template["spec"]
    assert (spec["nodeSelector"], spec["tolerations"], spec["affinity"]) == ({"disk": "ssd"}, [toleration], affinity)
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert _container(template)["resources"] == {"limits": {"memory": "2Gi"}}
    assert _container(template)["imagePullPolicy"] == "Always"
    assert template["metadata"]["annotations"] == {"a": "b", "trackplane.io/references": "1"}
    assert template["metadata"]["labels"] == {
        "team": "vision",
        **names.labels("demo", server.metadata.uid, names.SERVER),
    }


@pytest.mark.parametrize(
    ("placement", "kind", "expected"),
    [
        pytest.param(
            OnNode(name="node-1"),
            "nodeAffinity",
            {
                "nodeSelectorTerms": [
                    {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}
                ]
            },
            id="on a node",
        ),
        pytest.param(
            BesideServer(),
            "podAffinity",
            [
                {
                    "labelSelector": {"matchLabels": names.selector("demo")},
                    "topologyKey": "kubernetes.io/hostname",
                }
            ],
            id="beside the server",
        ),
    ],
)
def test_a_pod_that_follows_a_volume_has_that_affinity_alone(placement: Placement, kind: str, expected: object) -> None:
    server = a_server(template={"affinity": {"podAntiAffinity": {}}})
    assert a_template(server, placement=placement)["spec"]["affinity"] == {
        kind: {"requiredDuringSchedulingIgnoredDuringExecution": expected}
    }
