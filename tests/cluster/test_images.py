"""The images run where Kubernetes is strict: any user, a read-only root, no capability. Nothing inside can build."""

import pytest

from tests.support.kubectl import Kubectl
from tests.support.pods import a_pod, wait_until_ended

NOTHING_TO_BUILD_WITH = "for tool in cc gcc make pip pip3; do ! command -v $tool || exit 1; done"


@pytest.mark.parametrize(
    ("image", "program"),
    [
        pytest.param("trackplane-server:dev", "trackplane", id="server"),
        pytest.param("trackplane-operator:dev", "trackplane-operator", id="operator"),
    ],
)
@pytest.mark.parametrize("user", [65532, 1234567], ids=["its-own-user", "any-user"])
def test_an_image_runs_under_restricted_pod_security(kubectl: Kubectl, image: str, program: str, user: int) -> None:
    name = f"{program}-{user}"
    command = ["bash", "-c", f"set -e; {NOTHING_TO_BUILD_WITH}; {program} --version"]
    kubectl.apply(a_pod(name, command, image=image, user=user))
    assert wait_until_ended(kubectl, name) == "Succeeded"
    assert "version" in kubectl.logs(name)
