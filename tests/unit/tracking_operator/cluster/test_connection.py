import pytest

from tracking_operator.cluster.connection import Request, describe


@pytest.mark.parametrize(
    ("method", "path", "query", "verb", "resource", "namespace"),
    [
        pytest.param("GET", "/api/v1/namespaces/a/pods", {}, "list", "pods", "a", id="list"),
        pytest.param("GET", "/api/v1/pods", {"limit": "5"}, "list", "pods", "", id="list of all namespaces"),
        pytest.param("GET", "/api/v1/pods", {"watch": "true"}, "watch", "pods", "", id="watch"),
        pytest.param("GET", "/apis/batch/v1/namespaces/a/jobs/b", {}, "get", "jobs", "a", id="get"),
        pytest.param("GET", "/api/v1/namespaces", {}, "list", "namespaces", "", id="list of namespaces"),
        pytest.param("GET", "/api/v1/namespaces/a", {}, "get", "namespaces", "", id="one namespace"),
        pytest.param("POST", "/apis/batch/v1/namespaces/a/jobs", {}, "create", "jobs", "a", id="create"),
        pytest.param(
            "PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", {}, "update", "leases", "a", id="put"
        ),
        pytest.param("DELETE", "/apis/batch/v1/namespaces/a/jobs/b", {}, "delete", "jobs", "a", id="delete"),
        pytest.param(
            "PATCH", "/apis/apps/v1/namespaces/a/deployments/b/scale", {}, "patch", "deployments/scale", "a", id="scale"
        ),
        pytest.param("GET", "/apis/apps/v1", {}, "get", "", "", id="discovery"),
        pytest.param("GET", "/version", {}, "get", "", "", id="version"),
        pytest.param("GET", "/k8s/clusters/c/api/v1/namespaces/a/pods/b", {}, "get", "pods", "a", id="behind a prefix"),
    ],
)
def test_a_request_is_described_as_the_audit_log_does(
    method: str, path: str, query: dict[str, str], verb: str, resource: str, namespace: str
) -> None:
    assert describe(method, path, query) == Request(verb=verb, resource=resource, namespace=namespace)
