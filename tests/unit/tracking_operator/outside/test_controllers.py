"""Objects go round: what a controller answers is made real, and the controller is asked again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.servers import a_server
from tracking_operator.desired.bundle import children
from tracking_operator.desired.check_job import check_job
from tracking_operator.desired.places import CLUSTER
from tracking_operator.outside import pod_status
from tracking_operator.outside.controllers import REVISION_LABEL, Answer, run_cron_job, run_deployment, run_job
from tracking_operator.resource.kinds import JOB, POD, Manifest, Ref, ref_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def _stored(manifest: Manifest, uid: str = "u1", **status: Any) -> Manifest:
    metadata = {**manifest["metadata"], "uid": uid, "generation": 3, "creationTimestamp": "2026-03-01T11:00:00Z"}
    return {**manifest, "metadata": metadata, "status": {**manifest.get("status", {}), **status}}


def a_deployment(replicas: int = 1, image: str = "server:1") -> Manifest:
    manifests = children(a_server(), image=image, references="", places=CLUSTER)
    deployment = next(manifest for manifest in manifests if manifest["kind"] == "Deployment")
    return _stored({**deployment, "spec": {**deployment["spec"], "replicas": replicas}})


def a_job(**spec: Any) -> Manifest:
    job = check_job(a_server(), image="server:1", job_hash="0123456789", places=CLUSTER, node=None)
    return _stored({**job, "spec": {**job["spec"], **spec}})


def a_cron_job(**spec: Any) -> Manifest:
    gc = {"schedule": "30 * * * *", "olderThan": "1d"}
    manifests = children(a_server(gc=gc), image="server:1", references="", places=CLUSTER)
    return _stored({**manifests[-1], "spec": {**manifests[-1]["spec"], **spec}})


def _only(manifests: tuple[Manifest, ...]) -> Manifest:
    (manifest,) = manifests
    return _stored(manifest, uid="u2")


def _ready(pod: Manifest) -> Manifest:
    return {**pod, "status": pod_status.running(pod, NOW, is_ready=True, restarts=0)}


def _ended(pod: Manifest, exit_code: int, at: datetime = NOW) -> Manifest:
    return {**pod, "status": pod_status.terminated(pod, at, at, exit_code, "")}


def _failed_job(name: str, condition: str = "Failed") -> Manifest:
    job = _stored({**a_job(), "metadata": {**a_job()["metadata"], "name": name}})
    return {**job, "status": {"conditions": [{"type": condition, "status": "True"}]}}


def _ref(name: str) -> Ref:
    return Ref(kind=JOB, namespace="ml", name=name)


def _conditions(answer: Answer) -> dict[str, str]:
    conditions = (answer.status or {}).get("conditions", ())
    return {condition["type"]: f"{condition['status']} {condition['reason']}" for condition in conditions}


class TestDeployment:
    def test_a_pod_is_made_with_the_labels_of_the_template_and_its_owner(self) -> None:
        deployment = a_deployment()
        pod = _only(run_deployment(deployment, (), NOW).create)
        assert (pod["apiVersion"], pod["kind"]) == (POD.api_version, POD.kind)
        template = deployment["spec"]["template"]
        assert template["metadata"]["labels"].items() <= pod["metadata"]["labels"].items()
        assert pod["spec"]["containers"] == template["spec"]["containers"]
        assert [owner["uid"] for owner in pod["metadata"]["ownerReferences"]] == ["u1"]

    def test_one_pod_is_enough_for_any_number_of_replicas(self) -> None:
        deployment = a_deployment(replicas=3)
        pod = _only(run_deployment(deployment, (), NOW).create)
        assert run_deployment(deployment, (pod,), NOW).create == ()

    def test_a_new_template_ends_the_old_pod_before_the_new_one_begins(self) -> None:
        old = _only(run_deployment(a_deployment(image="server:1"), (), NOW).create)
        deployment = a_deployment(image="server:2")
        answer = run_deployment(deployment, (old,), NOW)
        assert (answer.create, answer.delete) == ((), (ref_of(old),))
        ending = {**old, "metadata": {**old["metadata"], "deletionTimestamp": "now"}}
        assert run_deployment(deployment, (ending,), NOW).delete == ()
        new = _only(run_deployment(deployment, (), NOW).create)
        assert new["metadata"]["labels"][REVISION_LABEL] != old["metadata"]["labels"][REVISION_LABEL]

    def test_scaled_to_nothing_every_pod_is_deleted(self) -> None:
        pod = _only(run_deployment(a_deployment(), (), NOW).create)
        answer = run_deployment(a_deployment(replicas=0), (pod,), NOW)
        assert (answer.create, answer.delete) == ((), (ref_of(pod),))

    def test_it_is_available_when_its_pod_is_ready(self) -> None:
        deployment = a_deployment()
        pod = _only(run_deployment(deployment, (), NOW).create)
        before, after = (run_deployment(deployment, (one,), NOW) for one in (pod, _ready(pod)))
        assert _conditions(before) == {"Available": "False MinimumReplicasUnavailable"}
        assert _conditions(after) == {"Available": "True MinimumReplicasAvailable"}
        assert after.status is not None
        assert {key: value for key, value in after.status.items() if key != "conditions"} == {
            "observedGeneration": 3,
            "replicas": 1,
            "updatedReplicas": 1,
            "readyReplicas": 1,
            "availableReplicas": 1,
        }

    def test_a_condition_that_stays_keeps_its_time(self) -> None:
        deployment = a_deployment()
        status = run_deployment(deployment, (), NOW).status
        later = run_deployment({**deployment, "status": status}, (), NOW + timedelta(hours=1))
        assert later.status == status


class TestJob:
    def test_a_pod_is_made_and_awaited(self) -> None:
        pod = _only(run_job(a_job(), (), NOW).create)
        assert pod["metadata"]["name"] == "demo-check-0123456789-0"
        answer = run_job(a_job(), (pod,), NOW)
        assert (answer.create, answer.wait_until) == ((), None)
        assert answer.status == {"startTime": "2026-03-01T12:00:00Z", "active": 1, "failed": 0}

    def test_a_pod_that_succeeds_completes_it(self) -> None:
        pod = _ended(_only(run_job(a_job(), (), NOW).create), 0)
        answer = run_job(a_job(), (pod,), NOW)
        assert _conditions(answer) == {"Complete": "True CompletionsReached"}
        assert answer.status is not None
        assert answer.status["completionTime"] == "2026-03-01T12:00:00Z"

    @pytest.mark.parametrize("exit_code", [10, 14, 16])
    def test_a_terminal_exit_code_fails_it_at_once(self, exit_code: int) -> None:
        pod = _ended(_only(run_job(a_job(), (), NOW).create), exit_code)
        assert _conditions(run_job(a_job(), (pod,), NOW)) == {"Failed": "True PodFailurePolicy"}

    @pytest.mark.parametrize("exit_code", [11, 137])
    def test_any_other_failure_is_tried_again_after_a_wait_that_doubles(self, exit_code: int) -> None:
        first = _ended(_only(run_job(a_job(), (), NOW).create), exit_code)
        waiting = run_job(a_job(), (first,), NOW)
        assert (waiting.create, waiting.wait_until) == ((), NOW + timedelta(seconds=1))
        again = run_job(a_job(), (first,), NOW + timedelta(seconds=1))
        second = _ended(_only(again.create), exit_code)
        assert run_job(a_job(), (first, second), NOW).wait_until == NOW + timedelta(seconds=2)

    def test_too_many_failures_fail_it(self) -> None:
        pod = _ended(_only(run_job(a_job(), (), NOW).create), 11)
        assert _conditions(run_job(a_job(backoffLimit=0), (pod,), NOW)) == {"Failed": "True BackoffLimitExceeded"}

    def test_a_suspended_job_has_no_pod(self) -> None:
        pod = _only(run_job(a_job(), (), NOW).create)
        assert run_job(a_job(suspend=True), (), NOW).create == ()
        assert run_job(a_job(suspend=True), (pod,), NOW).delete == (ref_of(pod),)

    def test_a_finished_job_is_left_alone(self) -> None:
        assert run_job(_failed_job("demo"), (), NOW) == Answer()


class TestCronJob:
    def test_it_waits_for_its_time(self) -> None:
        answer = run_cron_job(a_cron_job(), (), NOW, NOW)
        assert (answer.create, answer.wait_until) == ((), NOW + timedelta(minutes=30))

    def test_a_job_is_made_when_it_is_due(self) -> None:
        job = _only(run_cron_job(a_cron_job(), (), NOW, NOW + timedelta(minutes=30)).create)
        assert job["metadata"]["labels"]["app.kubernetes.io/component"] == "gc"
        assert job["spec"] == a_cron_job()["spec"]["jobTemplate"]["spec"]
        assert [owner["kind"] for owner in job["metadata"]["ownerReferences"]] == ["CronJob"]

    def test_its_time_is_that_of_its_zone(self) -> None:
        cron_job = a_cron_job(schedule="0 14 * * *", timeZone="Europe/Berlin")
        assert run_cron_job(cron_job, (), NOW, NOW).wait_until == NOW + timedelta(hours=1)

    def test_while_a_job_runs_no_other_is_made(self) -> None:
        due = NOW + timedelta(minutes=30)
        job = _only(run_cron_job(a_cron_job(), (), NOW, due).create)
        assert run_cron_job(a_cron_job(), (job,), NOW, due).create == ()

    def test_suspended_it_makes_none(self) -> None:
        answer = run_cron_job(a_cron_job(suspend=True), (), NOW, NOW + timedelta(hours=5))
        assert (answer.create, answer.wait_until) == ((), None)

    def test_the_oldest_finished_jobs_go(self) -> None:
        jobs = [_failed_job(f"failed-{number}") for number in range(5)]
        jobs += [_failed_job(f"complete-{number}", "Complete") for number in range(4)]
        answer = run_cron_job(a_cron_job(), jobs, NOW, NOW)
        assert set(answer.delete) == {_ref("failed-0"), _ref("failed-1"), _ref("complete-0")}
