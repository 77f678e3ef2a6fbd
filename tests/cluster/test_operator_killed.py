"""The operator is killed between any two steps of an upgrade. The upgrade happens all the same, and once."""

import json
import sqlite3
import time

import pytest

from tests.support.audit import written
from tests.support.golden import FILE
from tests.support.kubectl import Kubectl, Manifest
from tests.support.pods import termination_message
from tests.support.stories import (
    a_tracking_server,
    end_at_once,
    fill_claim,
    jobs,
    leader,
    names_of,
    pods,
    rows_of,
    rows_of_server,
)

STEPS = ["check", "backup", "verify", "migrate"]
SECONDS = 300


def begun(kubectl: Kubectl) -> set[str]:
    """The steps that can be seen to have begun: by their Jobs, and the last by the Deployment."""
    components = {job["metadata"]["labels"]["app.kubernetes.io/component"] for job in kubectl.list("jobs")}
    return components | ({"roll-out"} if kubectl.get("deployment", "tracking") else set())


@pytest.fixture(scope="module")
def upgraded(operator: Kubectl, kubectl: Kubectl) -> Manifest:
    """Whoever leads is killed each time that a step has begun: by kill -9, or together with its pod."""
    fill_claim(kubectl, "tracking-database", FILE, "mlflow.db")
    kubectl.apply(a_tracking_server())
    seen: set[str] = set()
    deadline = time.monotonic() + SECONDS
    while "roll-out" not in seen:
        assert time.monotonic() < deadline, f"not within {SECONDS} seconds: the upgrade went on after {seen}"
        new = begun(kubectl) - seen
        if not new:
            time.sleep(0.2)
            continue
        seen |= new
        victim = leader(operator)
        if len(seen) % 2:
            operator.kill(victim)
        else:
            end_at_once(operator, victim)
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)
    found = kubectl.get("trackingserver", "tracking")
    assert found is not None
    return found


def test_every_step_succeeded(upgraded: Manifest) -> None:
    steps = {step["name"]: step["state"] for step in upgraded["status"]["upgrade"]["steps"]}
    assert set(steps.values()) <= {"Succeeded", "Skipped"}
    assert steps["Migrate"] == steps["RollOut"] == "Succeeded"


@pytest.mark.usefixtures("upgraded")
def test_one_job_was_made_for_each_step(kubectl: Kubectl) -> None:
    made = [one.name for one in written(kubectl.namespace) if (one.verb, one.resource) == ("create", "jobs")]
    assert len(made) == len(set(made))
    for step in STEPS:
        assert names_of(jobs(kubectl, "tracking", step)) == [name for name in made if f"-{step}-" in name], made


@pytest.mark.usefixtures("upgraded")
def test_the_migration_ran_once(kubectl: Kubectl) -> None:
    (job,) = jobs(kubectl, "tracking", "migrate")
    assert (job["status"]["succeeded"], job["status"].get("failed", 0)) == (1, 0)
    (pod,) = pods(kubectl, "tracking", "migrate")
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
    report = json.loads(termination_message(pod))
    assert report["ok"] is True
    assert report["from"]["trackplane"] is None
    assert report["steps"][0] == "trackplane:0001"


@pytest.mark.usefixtures("upgraded")
def test_no_row_has_changed(kubectl: Kubectl) -> None:
    with sqlite3.connect(f"file:{FILE}?mode=ro", uri=True) as connection:
        before = rows_of(connection)
    connection.close()
    assert rows_of_server(kubectl, "tracking") == before
