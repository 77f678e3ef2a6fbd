"""`trackplane-operator run` as a process, against a real API server without nodes: as far as the check Job."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

from tests.support.api_server import ApiServer, free_ports
from tests.support.servers import a_resource
from tracking_operator.resource.kinds import Manifest

SERVERS = "/apis/trackplane.io/v1alpha1/namespaces/{}/trackingservers"


@contextlib.contextmanager
def operating(
    server: ApiServer, namespace: str, *, token: str | None = None, **environ: str
) -> Generator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tracking_operator", "run"],
        env={
            **os.environ,
            "KUBECONFIG": str(server.kubeconfig(f"operator-{namespace}", token)),
            "TRACKPLANE_WATCH_NAMESPACES": namespace,
            "TRACKPLANE_PROBE_PORT": str(free_ports(1)[0]),
            "TRACKPLANE_LEASE_SECONDS": "5",
            "POD_NAMESPACE": namespace,
            "POD_NAME": "operator-0",
            **environ,
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            _, errors = process.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
        sys.stderr.write(errors)
    assert process.returncode == 0
    assert not [line for line in errors.splitlines() if json.loads(line)["level"] == "error"]


def found(look: Callable[[], Any], seconds: float = 30) -> Any:
    """What `look` finds, as soon as that is something."""
    deadline = time.monotonic() + seconds
    while not (it := look()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return it


def items(server: ApiServer, path: str) -> list[Manifest]:
    answer = server.request("GET", path)
    return list(answer["items"])


def condition(manifest: Manifest, name: str) -> dict[str, Any]:
    conditions: list[dict[str, Any]] = manifest.get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == name), dict[str, Any]())


def test_an_applied_resource_gets_its_check_job(api_server: ApiServer, namespace: str) -> None:
    api_server.create(a_resource(namespace=namespace))
    with operating(api_server, namespace):
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        (job,) = found(lambda: items(api_server, jobs))
        assert job["metadata"]["name"].startswith("demo-check-")
        server = found(lambda: _reported(api_server, namespace))
        assert condition(server, "Reconciling")["status"] == "True"
        assert server["status"]["observedGeneration"] == server["metadata"]["generation"]
        claims = items(api_server, f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")
        assert {claim["metadata"]["name"] for claim in claims} >= {"demo-database", "demo-artifacts"}


def _reported(server: ApiServer, namespace: str) -> Manifest | None:
    (resource,) = items(server, SERVERS.format(namespace))
    return resource if condition(resource, "Reconciling") else None
