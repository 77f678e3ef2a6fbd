"""The examples for Argo CD and Flux: they install the chart as it is, and tell the health of a TrackingServer."""

import importlib
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from tests.support.charts import ROOT, only, rendered
from tests.support.left_out import leave_out
from tracking_operator.resource.conditions import ConditionType, Reason
from tracking_operator.resource.kinds import Manifest
from tracking_operator.resource.parse import parse

EXAMPLES = ROOT / "examples"
HEALTH = EXAMPLES / "argocd/health"


def documents(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def named(path: Path, kind: str, name: str) -> Manifest:
    (found,) = (one for one in documents(path) if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def health_tests() -> list[Any]:
    tests: list[dict[str, Any]] = yaml.safe_load((HEALTH / "health_test.yaml").read_text())["tests"]
    return [
        pytest.param(HEALTH / one["inputPath"], one["healthStatus"], id=Path(one["inputPath"]).stem) for one in tests
    ]


def test_argo_cd_installs_the_chart_with_values_that_it_takes() -> None:
    source = named(EXAMPLES / "argocd/applications.yaml", "Application", "trackplane-operator")["spec"]["source"]
    assert ROOT / source["path"] == ROOT / "charts/trackplane-operator"
    deployment = only(rendered(**source["helm"]["valuesObject"]), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example.com/trackplane-operator:0.1.0"


def test_flux_installs_the_chart_with_values_that_it_takes() -> None:
    spec = named(EXAMPLES / "flux/operator.yaml", "HelmRelease", "trackplane-operator")["spec"]
    assert (ROOT / spec["chart"]["spec"]["chart"] / "Chart.yaml").exists()
    assert only(rendered(**spec["values"]), "Deployment")


def test_flux_waits_for_what_it_applies_and_removes_nothing() -> None:
    spec = named(EXAMPLES / "flux/servers.yaml", "Kustomization", "tracking-servers")["spec"]
    assert (spec["wait"], spec["prune"]) == (True, False)


def test_the_health_goes_to_the_key_that_argo_cd_reads() -> None:
    (generator,) = yaml.safe_load((EXAMPLES / "argocd/kustomization.yaml").read_text())["configMapGenerator"]
    key, _, path = generator["files"][0].partition("=")
    assert key == "resource.customizations.health.trackplane.io_TrackingServer"
    assert (EXAMPLES / "argocd" / path).exists()


@pytest.mark.parametrize(("path", "health"), health_tests())
def test_the_samples_are_what_the_operator_writes(path: Path, health: dict[str, str]) -> None:
    sample = yaml.safe_load(path.read_text())
    assert parse(sample).metadata.name == "tracking"
    for condition in sample.get("status", {}).get("conditions", ()):
        assert condition["type"] in set(ConditionType)
        assert condition["reason"] in set(Reason)
    assert health["status"] in {"Healthy", "Progressing", "Degraded", "Suspended"}


@pytest.mark.parametrize(("path", "health"), health_tests())
def test_argo_cd_tells_the_health(path: Path, health: dict[str, str]) -> None:
    """Argo CD runs Lua 5.1."""
    try:
        lua: Any = importlib.import_module("lupa.lua51").LuaRuntime()
    except ModuleNotFoundError:
        leave_out("lupa (a package with Lua 5.1, for the health check of Argo CD)")
    lua.globals().obj = _table(lua, yaml.safe_load(path.read_text()))
    assert dict(lua.execute((HEALTH / "health.lua").read_text())) == health


def test_every_health_is_tested() -> None:
    assert {test.values[1]["status"] for test in health_tests()} == {"Healthy", "Progressing", "Degraded", "Suspended"}


def _table(lua: Any, value: object) -> Any:
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, one) for key, one in cast("dict[str, object]", value).items()})
    if isinstance(value, list):
        return lua.table_from([_table(lua, one) for one in cast("list[object]", value)])
    return value
