"""The operator on the cluster, installed by its chart with the image that is loaded now."""

from typing import Final

from tests.support.charts import OPERATOR_CHART
from tests.support.kubectl import Kubectl, run

NAMESPACE: Final = "trackplane-system"


def install_operator() -> Kubectl:
    """kubectl in the namespace of the operator, once it is ready. An image that was built anew is rolled out."""
    image = run("docker", "image", "inspect", "--format", "{{.Id}}", "trackplane-operator:dev").strip()
    release = ["helm", "upgrade", "--install", "trackplane-operator", str(OPERATOR_CHART), "--namespace", NAMESPACE]
    settings = ["--create-namespace", "--set", f"podAnnotations.image={image}", "--wait", "--timeout=180s"]
    operator = Kubectl(namespace=NAMESPACE)
    try:
        run(*release, *settings, seconds=200)
    except AssertionError as failed:
        raise AssertionError(f"{failed}\n{operator.report()}") from None
    return operator
