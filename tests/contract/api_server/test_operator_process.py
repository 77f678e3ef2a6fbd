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
from urllib.error import HTTPError

import pytest

from tests.support.api_server import ApiServer, free_ports
from tests.support.charts import rendered
from tests.support.played_jobs import end_job
from tests.support.servers import a_resource
from tracking_operator.resource.kinds import Manifest

SERVERS = "/apis/trackplane.io/v1alpha1/namespaces/{}/trackingservers"


@contextlib.contextmanager
def operating(
    server: ApiServer, namespace: str, *, token: str | None = None, is_killed: bool = False, **environ: str
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
        assert (token or server.token) not in errors
    assert process.returncode == (-signal.SIGKILL if is_killed else 0)
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


def job_of(server: ApiServer, namespace: str, component: str) -> Manifest:
    """The Job of that component, as soon as it is there."""
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs?labelSelector=app.kubernetes.io/component={component}"
    (job,) = found(lambda: items(server, path))
    return {"apiVersion": "batch/v1", "kind": "Job", **job}


def an_empty_database() -> dict[str, Any]:
    return {
        "ok": True,
        "command": "db check",
        "dialect": "sqlite",
        "state": "Empty",
        "mlflow": {"current": None, "head": "dc11669786a5"},
        "trackplane": {"current": None, "head": "0001"},
        "migration_needed": True,
        "additive": True,
        "steps": [],
        "size_bytes": 0,
    }


def install(server: ApiServer, namespace: str, **values: Any) -> str:
    """What the chart gives the operator to work in one namespace; the token of its account."""
    for manifest in rendered(namespace=namespace, watchNamespaces=[namespace], **values):
        if manifest["kind"] in {"ServiceAccount", "Role", "RoleBinding"}:
            with contextlib.suppress(HTTPError):  # the Role of the operator and that of the Lease are in one namespace
                server.create(manifest)
    return server.token_of(namespace, "trackplane-operator")


def play_first_run(server: ApiServer, namespace: str) -> None:
    """From the resource to the Deployment, on an empty database."""
    end_job(server, job_of(server, namespace, "check"), an_empty_database())
    end_job(server, job_of(server, namespace, "migrate"), {"ok": True, "command": "db upgrade", "steps": []})
    found(lambda: items(server, f"/apis/apps/v1/namespaces/{namespace}/deployments"))


def test_an_applied_resource_gets_its_check_job(api_server: ApiServer, namespace: str) -> None:
    api_server.create(a_resource(namespace=namespace))
    with operating(api_server, namespace):
        job = job_of(api_server, namespace, "check")
        assert job["metadata"]["name"].startswith("demo-check-")
        server = found(lambda: _reported(api_server, namespace))
        assert condition(server, "Reconciling")["status"] == "True"
        assert server["status"]["observedGeneration"] == server["metadata"]["generation"]
        claims = items(api_server, f"/api/v1/namespaces/{namespace}/persistentvolumeclaims")
        assert {claim["metadata"]["name"] for claim in claims} >= {"demo-database", "demo-artifacts"}


@pytest.mark.parametrize("watch_references", [True, False])
def test_the_role_of_the_chart_is_enough(api_server: ApiServer, namespace: str, watch_references: bool) -> None:
    token = install(api_server, namespace, watchReferences=watch_references)
    with operating(api_server, namespace, token=token, TRACKPLANE_WATCH_REFERENCES=str(watch_references)):
        api_server.create(a_resource(namespace=namespace, gc={"schedule": "0 3 * * *"}))
        play_first_run(api_server, namespace)
        found(lambda: items(api_server, f"/apis/batch/v1/namespaces/{namespace}/cronjobs"))
        found(lambda: items(api_server, f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"))
        remove_gc = {"spec": {"gc": None}}
        path = f"{SERVERS.format(namespace)}/demo"
        api_server.request("PATCH", path, remove_gc, content_type="application/merge-patch+json")
        found(lambda: not items(api_server, f"/apis/batch/v1/namespaces/{namespace}/cronjobs"))
    requests = api_server.audited(f"system:serviceaccount:{namespace}:trackplane-operator")
    assert requests
    assert not [event["requestURI"] for event in requests if event["responseStatus"]["code"] == 403]


def test_at_rest_nothing_is_written(api_server: ApiServer, namespace: str) -> None:
    token = install(api_server, namespace)
    user = f"system:serviceaccount:{namespace}:trackplane-operator"

    def writes() -> list[str]:
        return [
            f"{event['verb']} {event['requestURI']}"
            for event in api_server.audited(user)
            if event["verb"] not in {"get", "list", "watch"} and event["objectRef"]["resource"] != "leases"
        ]

    with operating(api_server, namespace, token=token):
        api_server.create(a_resource(namespace=namespace))
        play_first_run(api_server, namespace)
        path = f"{SERVERS.format(namespace)}/demo"
        seconds_of_silence(writes, 3)
        before, reads = writes(), len(api_server.audited(user))
        for number in range(10):
            label = {"metadata": {"labels": {"poke": str(number)}}}
            api_server.request("PATCH", path, label, content_type="application/merge-patch+json")
            time.sleep(0.3)
        time.sleep(1)
        assert writes() == before
        assert len(api_server.audited(user)) > reads + 50  # it did look


def seconds_of_silence(look: Callable[[], list[str]], seconds: float) -> None:
    """Until what is found has not changed for so long."""
    before, since, deadline = look(), time.monotonic(), time.monotonic() + 60
    while time.monotonic() < since + seconds:
        assert time.monotonic() < deadline
        time.sleep(0.2)
        if (now := look()) != before:
            before, since = now, time.monotonic()


def test_what_the_role_does_not_allow_is_said_without_the_token(api_server: ApiServer, namespace: str) -> None:
    token = install(api_server, namespace, watchReferences=False)
    with operating(api_server, namespace, token=token) as operator:
        api_server.create(a_resource(namespace=namespace))
        job_of(api_server, namespace, "check")
        time.sleep(1)
        operator.terminate()
        _, errors = operator.communicate(timeout=30)
    said = [json.loads(line) for line in errors.splitlines()]
    assert [line["resource"] for line in said if line["message"] == "a watch failed"]
    assert token not in errors


def test_a_killed_leader_is_followed_and_its_job_is_found_again(api_server: ApiServer, namespace: str) -> None:
    lease = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/trackplane-operator"
    api_server.create(a_resource(namespace=namespace))
    with operating(api_server, namespace, POD_NAME="first", is_killed=True) as first:
        job = job_of(api_server, namespace, "check")
        with operating(api_server, namespace, POD_NAME="second"):
            assert api_server.request("GET", lease)["spec"]["holderIdentity"] == "first"
            first.kill()
            found(lambda: api_server.request("GET", lease)["spec"]["holderIdentity"] == "second")
            end_job(api_server, job, an_empty_database())
            job_of(api_server, namespace, "migrate")
            assert job_of(api_server, namespace, "check")["metadata"]["uid"] == job["metadata"]["uid"]


def test_settings_that_cannot_work_end_it_with_every_fault(api_server: ApiServer) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tracking_operator", "run"],
        env={**os.environ, "TRACKPLANE_LEASE": "false", "TRACKPLANE_WORKERS": "0", "TRACKPLANE_PROBE_PORT": "http"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "TRACKPLANE_WORKERS: must be a whole number from 1 to 100, not '0'",
        "TRACKPLANE_PROBE_PORT: must be a whole number from 1 to 65535, not 'http'",
    ]


def _reported(server: ApiServer, namespace: str) -> Manifest | None:
    (resource,) = items(server, SERVERS.format(namespace))
    return resource if condition(resource, "Reconciling") else None
