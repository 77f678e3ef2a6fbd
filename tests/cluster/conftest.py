"""What every story has: a namespace of its own that enforces restricted Pod Security, and a report when it fails.

`make cluster-test` makes the cluster, loads the images and runs the stories; see docs/develop/cluster.md.
"""

import secrets
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.installation import install_operator
from tests.support.kubectl import Kubectl
from tests.support.left_out import leave_out

LAST = "test_permissions.py"
"""It judges what the operator did in all the other stories."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):  # the hook is given those of other folders, too
            item.add_marker(pytest.mark.cluster)
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Pods, events and logs of the story's namespaces, taken before anything is cleaned up."""
    report = yield
    if report.failed and report.when != "teardown":
        arguments: dict[str, object] = getattr(item, "funcargs", {})
        for name, value in arguments.items():
            if isinstance(value, Kubectl):
                report.sections.append((f"{name}: namespace {value.namespace}", value.report()))
    return report


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    try:
        subprocess.run(["kubectl", "get", "nodes"], check=True, capture_output=True, timeout=60)
    except (FileNotFoundError, subprocess.CalledProcessError):
        leave_out("a cluster (make cluster-test makes one)")


@pytest.fixture(scope="session")
def operator() -> Kubectl:
    """The operator, installed by its chart with the images that are loaded now."""
    return install_operator()


@pytest.fixture(scope="module")
def kubectl(request: pytest.FixtureRequest) -> Generator[Kubectl]:
    """kubectl in the namespace of this story: one for each file."""
    story = request.path.stem.removeprefix("test_").replace("_", "-")
    kubectl = Kubectl(namespace=f"{story}-{secrets.token_hex(3)}")
    kubectl.make_namespace()
    yield kubectl
    kubectl("delete", "namespace", kubectl.namespace, "--wait=false")
