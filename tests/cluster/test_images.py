"""The images run where Kubernetes is strict: any user, a read-only root, no capability. Nothing inside can build."""

import pytest

from tests.support.kubectl import Kubectl, Manifest, eventually

NOTHING_TO_BUILD_WITH = "for tool in cc gcc make pip pip3; do ! command -v $tool || exit 1; done"


def a_pod(name: str, image: str, *, user: int, command: list[str]) -> Manifest:
    container = {
        "name": "it",
        "image": image,
        "imagePullPolicy": "Never",
        "command": command,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    security = {"runAsNonRoot": True, "runAsUser": user, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": security,
            "containers": [container],
        },
    }


def wait_until_ended(kubectl: Kubectl, pod: str) -> str:
    def phase() -> str | None:
        found = kubectl.get("pod", pod)
        ended = found and found["status"].get("phase") in {"Succeeded", "Failed"}
        return str(found["status"]["phase"]) if found and ended else None

    return eventually(f"pod {pod} has ended", phase)


@pytest.mark.parametrize(
    ("image", "program"),
    [
        pytest.param("trackplane-server:dev", "trackplane", id="server"),
        pytest.param("trackplane-operator:dev", "trackplane-operator", id="operator"),
    ],
)
@pytest.mark.parametrize("user", [65532, 1234567], ids=["its-own-user", "any-user"])
def test_an_image_runs_under_restricted_pod_security(kubectl: Kubectl, image: str, program: str, user: int) -> None:
    command = ["bash", "-c", f"set -e; {NOTHING_TO_BUILD_WITH}; {program} --version"]
    kubectl.apply(a_pod("strict", image, user=user, command=command))
    assert wait_until_ended(kubectl, "strict") == "Succeeded"
    assert "version" in kubectl.logs("strict")
