import pytest

from tests.support.resources import BAD, GOOD, good, pairs
from tests.support.servers import EXTERNAL, a_resource, a_server, an_external_server
from tracking_operator.errors import SpecInvalid
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.resource.spec import (
    Artifacts,
    Dump,
    EnvFromSecret,
    EnvValue,
    ExistingClaim,
    ExternalDatabase,
    Hook,
    Reference,
    SecretKey,
    SecurityContext,
    Sqlite,
    VolumeClaimTemplate,
    VolumeStore,
)


@pytest.mark.parametrize("resource", good())
def test_a_good_resource_is_accepted(resource: Manifest) -> None:
    assert parse(resource).metadata.name == resource["metadata"]["name"]


@pytest.mark.parametrize(("resource", "path"), pairs(BAD))
def test_a_bad_resource_is_refused_at_its_field_alone(resource: Manifest, path: str) -> None:
    with pytest.raises(SpecInvalid) as refused:
        parse(resource)
    assert {fault.path for fault in refused.value.faults} == {path}


def test_every_fault_is_named_at_once() -> None:
    resource = a_resource(
        name="Demo",
        replicas=3,
        servr={},
        gc={"schedule": "75 * * * *"},
        upgrade={"backup": {"required": "never"}},
        networking={"service": {"nodePort": 30500}},
    )
    with pytest.raises(SpecInvalid) as refused:
        parse(resource)
    assert [str(fault) for fault in refused.value.faults] == [
        "spec.servr: is not a known field; did you mean server?",
        "spec.upgrade.backup.required: must be one of Always, WhenMigrating, Never, not 'never'",
        "spec.networking.service.nodePort: a nodePort needs the type NodePort or LoadBalancer",
        "spec.replicas: with SQLite there can be at most one replica, because one process writes to the file",
        "spec.replicas: more than one replica needs a volume for artifacts with the access mode ReadWriteMany",
        "metadata.name: the name starts with a letter and holds only a-z, 0-9 and '-', as the name of a Service does",
        "spec.gc.schedule: '75' is not a minute from 0 to 59",
    ]


@pytest.mark.parametrize(
    ("resource", "paths"),
    [
        pytest.param({}, ["apiVersion", "kind", "metadata.name"], id="nothing"),
        pytest.param({**a_resource(), "kind": "Deployment"}, ["kind"], id="another kind"),
        pytest.param({**a_resource(), "apiVersion": "trackplane.io/v1"}, ["apiVersion"], id="another version"),
        pytest.param({**a_resource(), "metadata": {}}, ["metadata.name"], id="no name"),
        pytest.param({**a_resource(), "metadata": None}, ["metadata.name"], id="no metadata"),
        pytest.param({**a_resource(), "spec": None}, ["spec"], id="no spec"),
        pytest.param({**a_resource(), "spec": ["a"]}, ["spec"], id="a list for a spec"),
        pytest.param({**a_resource(), "spce": {}}, ["spce"], id="an unknown field"),
    ],
)
def test_what_is_no_tracking_server_is_refused(resource: Manifest, paths: list[str]) -> None:
    with pytest.raises(SpecInvalid) as refused:
        parse(resource)
    assert [fault.path for fault in refused.value.faults] == paths


def test_the_smallest_resource_gets_the_defaults() -> None:
    spec = a_server().spec
    assert (spec.image, spec.replicas, spec.server.workers, spec.gc, spec.suspend) == (None, 1, 2, None, False)
    assert spec.database == Sqlite(volume=_a_template("10Gi"))
    assert spec.artifacts == Artifacts(access="Proxied", root="", store=VolumeStore(volume=_a_template("50Gi")))
    assert (spec.upgrade.backup.required, spec.upgrade.on_failure) == ("WhenMigrating", "Hold")
    assert spec.upgrade.backup.method == Dump(volume=_a_template("20Gi"))
    assert (spec.networking.service.type, spec.networking.service.port) == ("ClusterIP", 5000)
    assert spec.deletion.policy == "Retain"
    assert spec.template.resources == {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
    assert spec.template.security_context == SecurityContext(run_as_user=10001, run_as_group=10001, fs_group=10001)


def test_a_given_map_replaces_a_default_that_says_so_as_a_whole() -> None:
    template = a_server(template={"resources": {"limits": {"memory": "4Gi"}}, "securityContext": {}}).spec.template
    assert template.resources == {"limits": {"memory": "4Gi"}}
    assert template.security_context == SecurityContext(run_as_user=None, run_as_group=None, fs_group=None)


def test_metadata_is_taken_over() -> None:
    resource = a_resource(name="one", namespace="two", uid="three", generation=4, annotations={"a": "b"})
    resource["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    metadata = parse(resource).metadata
    assert (metadata.name, metadata.namespace, metadata.uid, metadata.generation) == ("one", "two", "three", 4)
    assert metadata.annotations == {"a": "b"}
    assert metadata.is_deleted


def test_a_resource_that_was_never_on_a_cluster_has_no_uid() -> None:
    resource = a_resource()
    resource["metadata"] = {"name": "demo"}
    metadata = parse(resource).metadata
    assert (metadata.namespace, metadata.uid, metadata.generation) == ("default", "", 0)
    assert not metadata.is_deleted


def test_parsing_leaves_the_given_resource_as_it_was() -> None:
    resource = a_resource()
    parse(resource)
    assert resource == a_resource()


def test_parsing_what_the_defaults_completed_changes_nothing() -> None:
    assert parse(GOOD["upgrade"]) == parse({**GOOD["upgrade"], "status": {"observedGeneration": 1}})


@pytest.mark.parametrize(
    ("suspend", "replicas", "wanted"),
    [
        pytest.param(False, 3, 3, id="serving"),
        pytest.param(True, 3, 0, id="suspended"),
        pytest.param(False, 0, 0, id="scaled to nothing"),
    ],
)
def test_suspended_servers_want_no_replica(suspend: bool, replicas: int, wanted: int) -> None:
    assert an_external_server(suspend=suspend, replicas=replicas).wanted_replicas == wanted


def test_a_hook_and_its_environment_are_read() -> None:
    first, second = parse(GOOD["upgrade"]).spec.upgrade.hooks.pre_migration
    assert first == Hook(name="notify", image="registry.example.com/notify:1", command=(), args=(), env=())
    assert (second.command, second.args) == (("sh", "-c", "pg_dump $URI"), ("--verbose",))
    assert second.env == (
        EnvValue(name="EMPTY", value=""),
        EnvFromSecret(name="URI", secret_key_ref=SecretKey(name="database", key="uri")),
    )


def test_references_are_listed_with_their_fields() -> None:
    server = a_server(database=EXTERNAL, upgrade=GOOD["upgrade"]["spec"]["upgrade"])
    secret = SecretKey(name="database", key="uri")
    assert server.references == (
        Reference(path="spec.database.uriSecretRef", secret_key=secret),
        Reference(path="spec.upgrade.hooks.preMigration[1].env[1].valueFrom.secretKeyRef", secret_key=secret),
    )


def test_the_key_for_webhooks_is_one_that_the_server_reads() -> None:
    server = parse(GOOD["a key for webhooks"])
    key = SecretKey(name="webhooks", key="fernet")
    assert server.spec.server.webhook_key == key
    assert server.references_of_server == (
        Reference(path="spec.server.webhooks.secretEncryptionKeySecretRef", secret_key=key),
        Reference(path="spec.database.uriSecretRef", secret_key=SecretKey(name="database", key="uri")),
    )
    assert parse(GOOD["no key for webhooks"]).spec.server.webhook_key is None


def test_claims_of_others_and_external_databases_are_told_apart() -> None:
    assert parse(GOOD["claims of others"]).spec.database == Sqlite(volume=ExistingClaim(name="old"))
    external = ExternalDatabase(uri_secret_ref=SecretKey(name="database", key="postgres.url"))
    assert parse(GOOD["a key of the Secret"]).spec.database == external


def _a_template(storage: str) -> VolumeClaimTemplate:
    return VolumeClaimTemplate(
        access_modes=("ReadWriteOnce",), storage=storage, storage_class_name=None, labels={}, annotations={}
    )
