"""A real API server takes what the chart renders, and Pod Security finds nothing in it to refuse."""

import pytest

from tests.support.api_server import ApiServer, kind_of
from tests.support.charts import of_kind, rendered
from tracking_operator.resource.kinds import Manifest


def path_of(manifest: Manifest) -> str:
    kind = kind_of(manifest)
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.version}"
    place = f"/namespaces/{manifest['metadata']['namespace']}" if kind.namespaced else ""
    return f"{root}{place}/{kind.plural}/{manifest['metadata']['name']}"


@pytest.mark.parametrize("scoped", [pytest.param(False, id="all namespaces"), pytest.param(True, id="named ones")])
def test_every_object_is_valid(api_server: ApiServer, namespace: str, scoped: bool) -> None:
    manifests = rendered(
        namespace=namespace,
        watchNamespaces=[namespace] if scoped else [],
        imagePullSecrets=[{"name": "pull"}],
        nodeSelector={"kubernetes.io/os": "linux"},
        tolerations=[{"key": "dedicated", "operator": "Exists"}],
        topologySpreadConstraints=[
            {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        podAnnotations={"example.com/team": "ml"},
        metrics={"service": {"annotations": {"prometheus.io/scrape": "true"}}},
        serviceAccount={"annotations": {"example.com/role": "operator"}},
    )
    for manifest in manifests:
        query = "?dryRun=All&fieldManager=helm&force=true&fieldValidation=Strict"
        path = f"{path_of(manifest)}{query}"
        api_server.request("PATCH", path, manifest, content_type="application/apply-patch+yaml")


def test_the_pods_are_restricted(api_server: ApiServer) -> None:
    namespace = api_server.create_namespace("restricted")
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    path = f"/api/v1/namespaces/{namespace}"
    api_server.request("PATCH", path, label, content_type="application/merge-patch+json")
    (deployment,) = of_kind(rendered(namespace=namespace), "Deployment")
    template = deployment["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": "operator", "namespace": namespace},
        "spec": template["spec"],
    }
    assert api_server.create(pod)["metadata"]["name"] == "operator"
