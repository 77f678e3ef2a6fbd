"""The first run: the sample is applied, a model is logged from outside the cluster, what is deleted is collected, and
the data stays or goes with the resource as its policy says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import last_line, run_script
from tests.support.environments import ROOT
from tests.support.http import call, call_json
from tests.support.kubectl import Kubectl, Manifest, eventually
from tests.support.pods import termination_message

SAMPLE = ROOT / "examples" / "trackingserver.yaml"
EXAMPLE = ROOT / "examples" / "train_model.py"
API = "/api/2.0/mlflow"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
CLAIMS = {"tracking-database", "tracking-artifacts", "tracking-backups"}


def apply_sample(kubectl: Kubectl) -> None:
    kubectl("apply", "--server-side", "--filename", str(SAMPLE))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=240)


@pytest.fixture(scope="module")
def tracking(operator: Kubectl, kubectl: Kubectl) -> Kubectl:
    """The namespace with the sample in it, ready."""
    apply_sample(kubectl)
    return kubectl


@pytest.fixture
def url(tracking: Kubectl) -> Iterator[str]:
    with tracking.forward("service/tracking", 5000) as url:
        yield url


def claims_in(kubectl: Kubectl) -> set[str]:
    return {claim["metadata"]["name"] for claim in kubectl.list("persistentvolumeclaims")}


def test_the_sample_becomes_ready(tracking: Kubectl) -> None:
    status = tracking.get("trackingserver", "tracking")
    assert status is not None
    assert status["status"]["endpoint"] == f"http://tracking.{tracking.namespace}.svc:5000"
    assert claims_in(tracking) == CLAIMS


def test_a_model_is_logged_from_outside_the_cluster_and_taken_back(url: str, tmp_path: Path) -> None:
    result = last_line(run_script(EXAMPLE, "--tracking-uri", url, "--check", "--json", home=tmp_path))
    assert result["checked"] is True


def test_the_cron_job_run_by_hand_removes_a_deleted_run_and_its_files(tracking: Kubectl, url: str) -> None:
    kept, deleted = (a_run_with_a_file(url) for _ in range(2))
    assert call_json(url, "POST", f"{API}/runs/delete", {"run_id": deleted}).status == 200

    report = collect(tracking, older_than="0s")

    assert (report["ok"], report["runs"]) == (True, 1)
    assert call(url, "GET", f"{API}/runs/get?run_id={deleted}").status == 404
    assert call(url, "GET", f"{FILES}/0/{deleted}/artifacts/a.txt").status == 404
    assert call(url, "GET", f"{API}/runs/get?run_id={kept}").status == 200
    assert call(url, "GET", f"{FILES}/0/{kept}/artifacts/a.txt").body == b"kept or not"


def a_run_with_a_file(url: str) -> str:
    reply = call_json(url, "POST", f"{API}/runs/create", {"experiment_id": "0", "start_time": 1})
    run_id = str(reply.json["run"]["info"]["run_id"])
    assert call(url, "PUT", f"{FILES}/0/{run_id}/artifacts/a.txt", b"kept or not").status == 200
    return run_id


def collect(kubectl: Kubectl, *, older_than: str) -> Manifest:
    """What the CronJob would do, now, for what was deleted longer ago than that. The answer is its report."""
    by_hand = ["create", "job", "gc-by-hand", "--from=cronjob/tracking-gc", "--dry-run=client", "--output=json"]
    job = json.loads(kubectl(*by_hand))
    command: list[str] = job["spec"]["template"]["spec"]["containers"][0]["command"]
    command[command.index("--older-than") + 1] = older_than
    kubectl.apply(job)
    kubectl("wait", "job/gc-by-hand", "--for=condition=Complete", "--timeout=120s", seconds=130)
    (pod,) = kubectl.list("pods", "job-name=gc-by-hand")
    report: Manifest = json.loads(termination_message(pod))
    return report


def test_deleting_the_resource_keeps_the_data_for_the_next_of_its_name(tracking: Kubectl) -> None:
    with tracking.forward("service/tracking", 5000) as url:
        run_id = a_run_with_a_file(url)

    tracking.delete("trackingserver", "tracking")
    eventually("its pods are gone", lambda: not tracking.list("pods", "app.kubernetes.io/component=server"))
    assert claims_in(tracking) == CLAIMS

    apply_sample(tracking)
    with tracking.forward("service/tracking", 5000) as url:
        assert call(url, "GET", f"{API}/runs/get?run_id={run_id}").status == 200
        assert call(url, "GET", f"{FILES}/0/{run_id}/artifacts/a.txt").body == b"kept or not"


def test_deleting_the_resource_removes_the_data_when_its_policy_says_so(tracking: Kubectl) -> None:
    tracking.patch("trackingserver", "tracking", {"spec": {"deletion": {"policy": "Delete"}}})
    tracking.wait_for_condition("trackingserver", "tracking", "Ready")
    eventually(
        "the claims belong to the resource",
        lambda: all("ownerReferences" in claim["metadata"] for claim in tracking.list("persistentvolumeclaims")),
    )

    tracking.delete("trackingserver", "tracking")
    eventually("everything is gone", lambda: not claims_in(tracking) and not tracking.list("deployments,services"))
