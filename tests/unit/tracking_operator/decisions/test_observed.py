"""What Kubernetes says about Jobs and pods, read into what a decision needs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tracking_operator.decisions.observed import Observed, observe
from tracking_operator.decisions.ownership import Ownership
from tracking_operator.resource.kinds import Manifest

TIME = "2026-01-02T03:04:05Z"


def a_pod(status: dict[str, Any], *, owner: str = "", component: str = "check", **metadata: Any) -> Manifest:
    owners = [{"kind": "Job", "name": "j", "uid": owner, "controller": True}] if owner else []
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "p",
            "namespace": "ml",
            "uid": "u",
            "creationTimestamp": TIME,
            "labels": {"app.kubernetes.io/component": component},
            "ownerReferences": owners,
            **metadata,
        },
        "spec": {"nodeName": "node-1"},
        "status": status,
    }


def a_job(status: dict[str, Any], **annotations: str) -> Manifest:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": "j",
            "namespace": "ml",
            "uid": "job-1",
            "creationTimestamp": TIME,
            "labels": {"app.kubernetes.io/component": "check"},
            "annotations": {f"trackplane.io/{name}": value for name, value in annotations.items()},
        },
        "status": status,
    }


def seen(*, pods: tuple[Manifest, ...] = (), jobs: tuple[Manifest, ...] = ()) -> Observed:
    ownership = Ownership(children={}, pods=pods, taken=(), leaving=())
    return observe(deployment=None, ownership=ownership, jobs=jobs, secret_versions={}, status={})


def container(**state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"name": "istio-proxy", "state": {}}, {"name": "job", "state": state}]}


@pytest.mark.parametrize(
    ("status", "reason", "has_started"),
    [
        pytest.param({"phase": "Pending"}, None, False, id="just made"),
        pytest.param(
            {"phase": "Pending", **container(waiting={"reason": "ContainerCreating"})}, None, False, id="on its way"
        ),
        pytest.param(
            {"phase": "Pending", **container(waiting={"reason": "ImagePullBackOff", "message": "m"})},
            "ImagePullBackOff",
            False,
            id="its image cannot be pulled",
        ),
        pytest.param(
            {"phase": "Pending", **container(waiting={"reason": "CreateContainerConfigError", "message": "m"})},
            "CreateContainerConfigError",
            False,
            id="a key is missing",
        ),
        pytest.param(
            {"phase": "Running", **container(waiting={"reason": "CrashLoopBackOff"})},
            "CrashLoopBackOff",
            True,
            id="it crashes again and again",
        ),
        pytest.param(
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}],
            },
            "Unschedulable",
            False,
            id="no node takes it",
        ),
        pytest.param({"phase": "Running", **container(running={})}, None, True, id="it runs"),
    ],
)
def test_what_keeps_a_pod_from_running(status: dict[str, Any], reason: str | None, has_started: bool) -> None:
    (pod,) = seen(pods=(a_pod(status),)).pods
    assert (None if pod.problem is None else pod.problem.reason) == reason
    assert pod.has_started is has_started
    assert pod.is_living


def test_a_pod_that_has_ended_tells_its_exit_code_and_its_report() -> None:
    ended = container(terminated={"exitCode": 11, "message": '{"ok": false, "reason": "DatabaseUnreachable"}'})
    (pod,) = seen(pods=(a_pod({"phase": "Failed", **ended}),)).pods
    assert pod.exit_code == 11
    assert pod.report is not None
    assert pod.report.reason == "DatabaseUnreachable"
    assert not pod.is_living


@pytest.mark.parametrize(
    ("status", "annotations", "state", "finished"),
    [
        pytest.param({}, {}, "Running", False, id="new"),
        pytest.param({"active": 1}, {}, "Running", False, id="active"),
        pytest.param({}, {"stopped": "no image"}, "Stopped", False, id="stopped by us"),
        pytest.param(
            {"conditions": [{"type": "FailureTarget", "status": "True"}]}, {}, "Running", False, id="about to fail"
        ),
        pytest.param(
            {"conditions": [{"type": "Complete", "status": "True"}], "completionTime": TIME},
            {},
            "Succeeded",
            True,
            id="complete",
        ),
        pytest.param(
            {"conditions": [{"type": "Failed", "status": "True", "lastTransitionTime": TIME}]},
            {},
            "Failed",
            True,
            id="failed",
        ),
    ],
)
def test_how_a_job_is(status: dict[str, Any], annotations: dict[str, str], state: str, finished: bool) -> None:
    (job,) = seen(jobs=(a_job(status, **annotations),)).jobs
    assert job.state == state
    assert job.is_finished is finished
    assert job.finished_at == (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) if finished else None)


def test_a_job_has_the_pods_that_it_owns_and_their_newest_report() -> None:
    first = container(terminated={"exitCode": 11, "message": '{"ok": false, "reason": "DatabaseUnreachable"}'})
    last = container(terminated={"exitCode": 0, "message": '{"ok": true}'})
    pods = (
        a_pod({"phase": "Succeeded", **last}, owner="job-1", name="b", creationTimestamp="2026-01-02T03:05:00Z"),
        a_pod({"phase": "Failed", **first}, owner="job-1", name="a"),
        a_pod({"phase": "Running"}, owner="job-0", name="c"),
    )
    (job,) = seen(pods=pods, jobs=(a_job({}),)).jobs
    assert [pod.name for pod in job.pods] == ["a", "b"]
    assert job.report is not None
    assert job.report.is_success
    assert not job.has_living_pods
