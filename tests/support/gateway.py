"""A bucket in a pod, for stories: versitygw from tests/cluster/images/versitygw. Its files go with the pod."""

from collections.abc import Mapping
from typing import Final

from tests.support.kubectl import Kubectl, Manifest
from tests.support.pods import a_pod

IMAGE: Final = "trackplane-test-versitygw:dev"
NAME: Final = "gateway"
"""Of the pod and of its Service."""
PORT: Final = 7070
BUCKET: Final = "artifacts"
ENDPOINT: Final = f"http://{NAME}:{PORT}"
_ROOT: Final[Mapping[str, str]] = {"ACCESS_KEY_ID": "root", "SECRET_ACCESS_KEY": "root-secret"}


def a_gateway() -> tuple[Manifest, Manifest]:
    pod = a_pod(NAME, ["/usr/local/bin/run"], image=IMAGE, user=65532)
    pod["metadata"]["labels"] = {"app": NAME}
    (container,) = pod["spec"]["containers"]
    variables = {f"{who}_{name}": value for name, value in _ROOT.items() for who in ("ROOT", "ADMIN")}
    variables |= {"BUCKET": BUCKET, "ADMIN_ENDPOINT_URL": f"http://127.0.0.1:{PORT}"}
    container["env"] = [{"name": name, "value": value} for name, value in variables.items()]
    container["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": {"app": NAME}, "ports": [{"port": PORT}]},
    }
    return pod, service


def add_key(kubectl: Kubectl, access: str, secret: str) -> None:
    _administer(kubectl, "create-user", "--role", "admin", "--access", access, "--secret", secret)


def remove_key(kubectl: Kubectl, access: str) -> None:
    _administer(kubectl, "delete-user", "--access", access)


def objects(kubectl: Kubectl) -> list[str]:
    """The names of all objects of the bucket."""
    find = f"cd /tmp/files/{BUCKET} && find . -type f -printf '%P\\n'"
    return kubectl("exec", NAME, "--", "sh", "-c", find).splitlines()


def _administer(kubectl: Kubectl, *words: str) -> None:
    kubectl("exec", NAME, "--", "versitygw", "admin", *words)
