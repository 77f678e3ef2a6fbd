"""A migration damages what is stored and then fails: Hold keeps everything as it is, RestoreBackup brings it back."""

import pytest

from tests.support.kubectl import Kubectl, Manifest
from tests.support.pods import SERVER_IMAGE
from tests.support.stories import FAILING_IMAGE, a_tracking_server, jobs, log_run, names_of, pods, read_run
from tracking_operator.resource import names

POLICIES = {"hold": "Hold", "restore": "RestoreBackup"}


@pytest.fixture(scope="module")
def runs(operator: Kubectl, kubectl: Kubectl) -> dict[str, str]:
    """The id of the run that was logged to each server before its migration failed."""
    for name, policy in POLICIES.items():
        kubectl.apply(a_tracking_server(name, image=SERVER_IMAGE, upgrade={"onFailure": policy}))
    logged: dict[str, str] = {}
    for name in POLICIES:
        kubectl.wait_for_condition("trackingserver", name, "Ready", seconds=180)
        with kubectl.forward(f"service/{name}", 5000) as url:
            logged[name] = log_run(url, "undamaged")
    for name in POLICIES:
        kubectl.patch("trackingserver", name, {"spec": {"image": FAILING_IMAGE}})
    return logged


def wait_until_failed(kubectl: Kubectl, name: str, *, available: str) -> Manifest:
    """The condition Stalled, once it is settled whether anything serves."""
    stalled = kubectl.wait_for_condition("trackingserver", name, "Stalled", reason="MigrationFailed", seconds=180)
    kubectl.wait_for_condition("trackingserver", name, "Available", available)
    return stalled


def assert_tried_once(kubectl: Kubectl, name: str) -> None:
    (job,) = jobs(kubectl, name, names.MIGRATE)
    assert job["status"]["failed"] == 1
    assert len(pods(kubectl, name, names.MIGRATE)) == 1


def assert_serves_as_before(kubectl: Kubectl, name: str, run_id: str) -> None:
    (pod,) = pods(kubectl, name)
    assert pod["spec"]["containers"][0]["image"] == SERVER_IMAGE
    with kubectl.forward(f"service/{name}", 5000) as url:
        run = read_run(url, run_id)
    assert (run["info"]["run_name"], run["info"]["status"]) == ("undamaged", "FINISHED")


def test_hold_stops_and_says_what_to_do(kubectl: Kubectl, runs: dict[str, str]) -> None:
    stalled = wait_until_failed(kubectl, "hold", available="False")
    found = kubectl.get("trackingserver", "hold")
    assert found is not None
    for words in (
        "Nothing serves",
        found["status"]["lastBackup"]["path"],
        "spec.upgrade.onFailure",
        "trackplane.io/retry",
    ):
        assert words in stalled["message"]
    assert names_of(pods(kubectl, "hold")) == []
    assert jobs(kubectl, "hold", names.RESTORE) == []
    assert_tried_once(kubectl, "hold")


def test_restore_backup_brings_back_what_served(kubectl: Kubectl, runs: dict[str, str]) -> None:
    stalled = wait_until_failed(kubectl, "restore", available="True")
    assert "the backup is back in place" in stalled["message"].lower()
    assert_tried_once(kubectl, "restore")
    assert_serves_as_before(kubectl, "restore", runs["restore"])


def test_a_person_who_looked_at_what_was_held_has_the_backup_put_back(kubectl: Kubectl, runs: dict[str, str]) -> None:
    wait_until_failed(kubectl, "hold", available="False")
    kubectl.patch("trackingserver", "hold", {"spec": {"upgrade": {"onFailure": "RestoreBackup"}}})
    wait_until_failed(kubectl, "hold", available="True")
    assert_tried_once(kubectl, "hold")
    assert_serves_as_before(kubectl, "hold", runs["hold"])


def test_going_back_to_the_image_that_served_heals(kubectl: Kubectl, runs: dict[str, str]) -> None:
    wait_until_failed(kubectl, "restore", available="True")
    kubectl.patch("trackingserver", "restore", {"spec": {"image": SERVER_IMAGE}})
    kubectl.wait_for_condition("trackingserver", "restore", "Ready")
    assert kubectl.condition("trackingserver", "restore", "Stalled") is None
    assert_serves_as_before(kubectl, "restore", runs["restore"])
