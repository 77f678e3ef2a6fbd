"""The operator's chart: what it renders, and what it refuses."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.charts import OPERATOR_CHART, ROOT, helm, of_kind, only, rendered
from tracking_operator.handlers.lifecycle import FINISH_SECONDS
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse
from tracking_operator.settings import Settings


def container(manifests: list[Manifest]) -> dict[str, Any]:
    (found,) = only(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(found)


def settings(manifests: list[Manifest]) -> Settings:
    """What the operator makes of the environment that the chart gives it."""
    fields = {"metadata.name": "a-pod", "metadata.namespace": "system"}
    return Settings.from_environ(
        {
            one["name"]: one["value"] if "value" in one else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
            for one in container(manifests)["env"]
        }
    )


def rules(role: Manifest) -> dict[str, set[str]]:
    """The verbs by resource."""
    return {
        f"{resource}.{rule['apiGroups'][0]}".rstrip("."): set(rule["verbs"])
        for rule in role["rules"]
        for resource in rule["resources"]
    }


def test_the_linter_has_nothing_to_say() -> None:
    result = helm("lint", "--strict", OPERATOR_CHART)
    assert result.returncode == 0, result.stdout


def test_the_chart_packages(tmp_path: Path) -> None:
    result = helm("package", OPERATOR_CHART, "--destination", tmp_path)
    assert result.returncode == 0, result.stderr


def test_the_definitions_are_copies() -> None:
    ours = {path.name: path.read_text() for path in (ROOT / "crds").glob("*.yaml")}
    copies = {path.name: path.read_text() for path in (OPERATOR_CHART / "files/crds").glob("*.yaml")}
    assert copies == ours, "cp crds/*.yaml charts/trackplane-operator/files/crds/"


def test_the_definitions_are_rendered_whole_and_outlive_the_release() -> None:
    (source,) = (yaml.safe_load(path.read_text()) for path in (ROOT / "crds").glob("*.yaml"))
    crd = only(rendered(), "CustomResourceDefinition")
    assert crd["spec"] == source["spec"]
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    swept = only(rendered(crds={"install": True, "keep": False}), "CustomResourceDefinition")
    assert "annotations" not in swept["metadata"]
    assert not of_kind(rendered(crds={"install": False}), "CustomResourceDefinition")


def test_the_defaults_are_what_a_cluster_loads_and_two_replicas() -> None:
    manifests = rendered()
    assert container(manifests)["image"] == "trackplane-operator:dev"
    assert settings(manifests).server_image == "trackplane-server:dev"
    assert only(manifests, "Deployment")["spec"]["replicas"] == 2


def test_a_digest_wins_over_the_tag() -> None:
    digest = f"sha256:{'0' * 64}"
    image = {"repository": "registry.example/operator", "tag": "1.0", "digest": digest}
    assert container(rendered(image=image))["image"] == f"registry.example/operator@{digest}"


def test_the_defaults_of_the_chart_are_those_of_the_settings() -> None:
    assert settings(rendered()) == Settings(pod_name="a-pod", pod_namespace="system")


def test_every_setting_that_a_cluster_needs_is_given() -> None:
    given = {one["name"] for one in container(rendered())["env"]}
    known = {field.metadata["env"] for field in Settings.__dataclass_fields__.values()}
    assert known - given == {"KUBECONFIG", "TRACKPLANE_LEASE_NAMESPACE"}


def test_values_reach_the_settings() -> None:
    manifests = rendered(
        release="mine",
        serverImage="registry.example/server:1.2",
        watchNamespaces=["team-a", "team-b"],
        watchReferences=False,
        workers=3,
        resyncSeconds=86400,
        leaseSeconds=30,
        log={"format": "text", "level": "debug"},
    )
    assert settings(manifests) == Settings(
        server_image="registry.example/server:1.2",
        watch_namespaces=("team-a", "team-b"),
        watch_references=False,
        workers=3,
        resync_seconds=86400,
        lease_name="mine-trackplane-operator",
        lease_seconds=30,
        pod_name="a-pod",
        pod_namespace="system",
        log_format="text",
        log_level="debug",
    )


def test_all_namespaces_need_a_cluster_role_and_named_ones_do_not() -> None:
    everywhere = rendered(rbac={"create": True, "aggregate": False})
    assert only(everywhere, "ClusterRoleBinding")["subjects"][0]["namespace"] == "system"
    named = rendered(watchNamespaces=["team-a", "team-b"], rbac={"create": True, "aggregate": False})
    assert not of_kind(named, "ClusterRole")
    assert not of_kind(named, "ClusterRoleBinding")
    places = {role["metadata"]["namespace"]: rules(role) for role in of_kind(named, "Role")}
    assert set(places) == {"system", "team-a", "team-b"}
    assert places["team-a"] == rules(only(everywhere, "ClusterRole"))


def test_no_rule_has_a_wildcard_or_touches_what_is_not_the_operators() -> None:
    for role in (*of_kind(rendered(), "Role"), *of_kind(rendered(), "ClusterRole")):
        for rule in role["rules"]:
            assert "*" not in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
    allowed = rules(only(rendered(rbac={"create": True, "aggregate": False}), "ClusterRole"))
    assert allowed["secrets"] == {"get", "list", "watch"}
    assert allowed["trackingservers.trackplane.io"] == {"get", "list", "watch"}
    assert allowed["trackingservers/status.trackplane.io"] == {"patch"}
    assert not {"pods/exec", "pods/log", "namespaces", "nodes"} & set(allowed)


def test_without_the_watch_of_references_secrets_cannot_be_listed() -> None:
    manifests = rendered(watchReferences=False, rbac={"create": True, "aggregate": False})
    assert rules(only(manifests, "ClusterRole"))["secrets"] == {"get"}


def test_the_lease_is_the_only_one_that_may_be_changed() -> None:
    role = only(rendered(release="mine"), "Role", "-lease")
    named = [rule for rule in role["rules"] if "resourceNames" in rule]
    assert [rule["resourceNames"] for rule in named] == [["mine-trackplane-operator"]]
    assert [rule["verbs"] for rule in role["rules"] if "resourceNames" not in rule] == [["create"]]


def test_one_replica_has_no_disruption_budget() -> None:
    assert of_kind(rendered(), "PodDisruptionBudget")
    assert not of_kind(rendered(replicas=1), "PodDisruptionBudget")


def test_the_service_and_the_budget_select_the_pods() -> None:
    manifests = rendered(release="mine")
    labels = only(manifests, "Deployment")["spec"]["template"]["metadata"]["labels"]
    for selector in (
        only(manifests, "Service")["spec"]["selector"],
        only(manifests, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only(manifests, "Deployment")["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_the_grace_period_is_longer_than_an_orderly_end() -> None:
    assert (
        only(rendered(), "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 3 * FINISH_SECONDS
    )


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("replica=2", id="an unknown value"),
        pytest.param("replicas=-1", id="a number out of range"),
        pytest.param("watchNamespaces[0]=Team_A", id="a name that no namespace has"),
        pytest.param("log.format=xml", id="a choice that there is not"),
        pytest.param("image.digest=latest", id="a digest that is none"),
        pytest.param("serviceAccount.create=false", id="an account that nobody makes"),
    ],
)
def test_values_that_cannot_work_are_refused(value: str) -> None:
    assert helm("template", "x", OPERATOR_CHART, "--set", value).returncode != 0


def test_the_schema_knows_every_value() -> None:
    known = yaml.safe_load((OPERATOR_CHART / "values.schema.json").read_text())["properties"]
    values = yaml.safe_load((OPERATOR_CHART / "values.yaml").read_text())
    assert set(known) - {"global"} == set(values)


def test_the_notes_end_with_a_resource_that_works(tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(OPERATOR_CHART, chart)
    notes = (chart / "templates/NOTES.txt").read_text()
    (chart / "templates/notes.yaml").write_text('notes: |\n{{- tpl (.Files.Get "NOTES.copy") . | nindent 2 }}\n')
    (chart / "NOTES.copy").write_text(notes)
    result = helm("template", "x", chart, "-s", "templates/notes.yaml")
    assert result.returncode == 0, result.stderr
    text = yaml.safe_load(result.stdout)["notes"]
    manifest = text.split("<<'EOF'\n")[1].split("  EOF")[0]
    assert parse(yaml.safe_load(manifest)).metadata.name == "tracking"
