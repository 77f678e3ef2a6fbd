"""A bucket with its keys in a Secret: files get there, keys change under load, and wrong ones change nothing."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import gateway, steady_files
from tests.support.client import last_line, run_script
from tests.support.environments import ROOT
from tests.support.kubectl import Kubectl, Manifest, eventually
from tests.support.pods import a_pod, wait_until_ended, wait_until_running
from tests.support.postgres import a_postgres
from tests.support.stories import a_tracking_server, names_of, pods

FILES = ROOT / "tests" / "contract" / "client" / "scripts" / "files.py"
FIRST, SECOND, WRONG = ("first", "first-secret"), ("second", "second-secret"), ("first", "wrong-secret")
SECRET = "bucket"


def a_secret(name: str, **data: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def the_keys(keys: tuple[str, str]) -> Manifest:
    return a_secret(SECRET, AWS_ACCESS_KEY_ID=keys[0], AWS_SECRET_ACCESS_KEY=keys[1])


def in_the_bucket(folder: str, **artifacts: Any) -> Manifest:
    """`spec.artifacts`."""
    credentials = {"secretRef": {"name": SECRET}}
    s3 = {"bucket": gateway.BUCKET, "region": "us-east-1", "endpoint": gateway.ENDPOINT, "pathStyle": True}
    return {"root": folder, "store": {"s3": {**s3, "credentials": credentials}}, **artifacts}


@pytest.fixture(scope="module")
def tracking(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with a bucket, a database and a server of two replicas that is ready."""
    kubectl.apply(*a_gateway_and_database(), the_keys(FIRST))
    kubectl("wait", "pod/postgres", f"pod/{gateway.NAME}", "--for=condition=Ready", "--timeout=120s")
    gateway.add_key(kubectl, *FIRST)
    database = {"uriSecretRef": {"name": "database"}}
    kubectl.apply(a_tracking_server(replicas=2, database=database, artifacts=in_the_bucket("team/mlflow")))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)
    return kubectl


def a_gateway_and_database() -> tuple[Manifest, ...]:
    uri = "postgresql://trackplane:secret@postgres:5432/trackplane"
    return (*gateway.a_gateway(), *a_postgres("secret"), a_secret("database", uri=uri))


def test_a_file_of_the_client_is_in_the_bucket(tracking: Kubectl, tmp_path: Path) -> None:
    with tracking.forward("service/tracking", 5000) as url:
        told = last_line(run_script(FILES, url, home=tmp_path))
    assert (told["sizes_are_right"], told["contents_are_right"]) == (True, True)
    folder = told["uri"].removeprefix("mlflow-artifacts:/")
    assert f"team/mlflow/{folder}/folder/large.bin" in gateway.objects(tracking)


def test_the_status_says_that_the_store_was_tried(tracking: Kubectl) -> None:
    reachable = tracking.condition("trackingserver", "tracking", "ArtifactStoreReachable")
    assert reachable is not None
    assert (reachable["status"], reachable["reason"]) == ("True", "Connected")
    left = [name for name in gateway.objects(tracking) if "/0/" not in name]
    assert left == [], "the trial leaves nothing"


def test_keys_that_do_not_work_replace_none_that_do(tracking: Kubectl) -> None:
    before = names_of(pods(tracking, "tracking"))
    with files_come_and_go(tracking, "meanwhile") as result:
        tracking.apply(the_keys(WRONG))
        refused = tracking.wait_for_condition(
            "trackingserver", "tracking", "ArtifactStoreReachable", "False", reason="AccessDenied"
        )
        ready = tracking.condition("trackingserver", "tracking", "Ready")
        available = tracking.condition("trackingserver", "tracking", "Available")
    assert "spec.artifacts.store" in refused["message"]
    assert WRONG[1] not in refused["message"]
    assert ready is not None
    assert (ready["status"], ready["reason"]) == ("False", "AccessDenied")
    assert available is not None
    assert available["status"] == "True"
    assert names_of(pods(tracking, "tracking")) == before
    assert len(tracking.list("replicasets")) == 1
    assert result["failures"] == []
    assert result["came_back"] > 0


def test_new_keys_roll_the_pods_once_and_no_request_fails(tracking: Kubectl) -> None:
    before = names_of(pods(tracking, "tracking"))
    gateway.add_key(tracking, *SECOND)
    with files_come_and_go(tracking, "rotation") as result:
        tracking.apply(the_keys(SECOND))
        eventually(
            "all pods are new ones",
            lambda: set(names_of(pods(tracking, "tracking"))).isdisjoint(before),
            seconds=180,
        )
        tracking.wait_for_condition("trackingserver", "tracking", "Ready", seconds=120)
        eventually("the old pods are gone", lambda: not set(before) & set(names_of(tracking.list("pods"))), seconds=120)
        gateway.remove_key(tracking, FIRST[0])
        tracking.wait_for_condition("trackingserver", "tracking", "ArtifactStoreReachable")
    assert result["failures"] == []
    assert result["came_back"] > 0
    assert len(tracking.list("replicasets")) == 2


def test_in_direct_mode_the_client_is_told_where_the_bucket_is(tracking: Kubectl, tmp_path: Path) -> None:
    artifacts = in_the_bucket("direct", access="Direct")
    tracking.apply(a_tracking_server("direct", artifacts=artifacts))
    tracking.wait_for_condition("trackingserver", "direct", "Ready", seconds=180)
    found = tracking.get("trackingserver", "direct")
    assert found is not None
    binding = tracking.get("configmap", found["status"]["binding"]["name"])
    assert binding is not None
    assert binding["data"] == {
        "MLFLOW_TRACKING_URI": f"http://direct.{tracking.namespace}.svc:5000",
        "MLFLOW_S3_ENDPOINT_URL": gateway.ENDPOINT,
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "path",
    }
    with (
        tracking.forward("service/direct", 5000) as url,
        tracking.forward(f"service/{gateway.NAME}", gateway.PORT) as bucket,
    ):
        own = {"AWS_ACCESS_KEY_ID": SECOND[0], "AWS_SECRET_ACCESS_KEY": SECOND[1], "MLFLOW_S3_ENDPOINT_URL": bucket}
        told = last_line(run_script(FILES, url, home=tmp_path, environ={**binding["data"], **own}))
    assert (told["sizes_are_right"], told["contents_are_right"]) == (True, True)
    assert told["uri"].startswith(f"s3://{gateway.BUCKET}/direct/")
    assert f"{told['uri'].removeprefix(f's3://{gateway.BUCKET}/')}/folder/large.bin" in gateway.objects(tracking)


def test_no_key_is_told_to_anybody(operator: Kubectl, tracking: Kubectl) -> None:
    told = [
        tracking("get", "trackingservers,deployments,jobs,pods,configmaps", "--output", "yaml"),
        tracking("get", "events", "--output", "yaml"),
        *(tracking.logs(pod, lines=-1) for pod in names_of(tracking.list("pods")) if pod != gateway.NAME),
        *(operator.logs(pod, lines=-1) for pod in names_of(operator.list("pods"))),
    ]
    assert [secret for _, secret in (FIRST, SECOND, WRONG) if secret in "\n".join(told)] == []


@contextmanager
def files_come_and_go(kubectl: Kubectl, pod: str) -> Generator[Manifest]:
    """All the while. The result is filled in at the end."""
    program = Path(steady_files.__file__).read_text()
    kubectl.apply(a_pod(pod, ["python3", "-u", "-c", program, "http://tracking:5000"]))
    wait_until_running(kubectl, pod)
    result: Manifest = {}
    yield result
    kubectl("exec", pod, "--", "touch", steady_files.STOP)
    assert wait_until_ended(kubectl, pod) == "Succeeded", kubectl.logs(pod)
    result.update(json.loads(kubectl("logs", pod, "--tail=1")))
