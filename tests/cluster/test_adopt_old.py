"""A volume holds a database of MLflow 2.9.2: it is backed up, and migrated to what MLflow itself would make of it."""

import base64
from pathlib import Path

import pytest

from tests.support.kubectl import Kubectl, Manifest
from tests.support.migrated import differences, golden_of, upgraded_by_mlflow, what_is_left
from tests.support.stories import DATABASE_FILE, a_tracking_server, fill_claim, log_run, read_run
from tracking_server.database.transactions import open_database

RELEASE = "2.9.2"
COPY = f"""import sqlite3
with sqlite3.connect("file:{DATABASE_FILE}?mode=ro", uri=True) as source, sqlite3.connect("/tmp/copy.db") as copy:
    source.backup(copy)"""


@pytest.fixture(scope="module")
def adopted(operator: Kubectl, kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The resource, ready."""
    fill_claim(kubectl, "old", golden_of(RELEASE, tmp_path_factory.mktemp("golden")), "mlflow.db")
    kubectl.apply(a_tracking_server(database={"sqlite": {"claimName": "old"}}))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=300)
    found = kubectl.get("trackingserver", "tracking")
    assert found is not None
    return found


def test_it_was_backed_up_before_one_job_migrated_it(kubectl: Kubectl, adopted: Manifest) -> None:
    steps = {step["name"]: step["state"] for step in adopted["status"]["upgrade"]["steps"]}
    assert {steps[name] for name in ("Check", "Backup", "Verify", "Migrate", "RollOut")} == {"Succeeded"}
    assert adopted["status"]["schema"]["state"] == "Current"
    (job,) = kubectl.list("jobs", "app.kubernetes.io/component=migrate")
    assert (job["status"]["succeeded"], job["status"].get("failed", 0)) == (1, 0)


def test_it_is_what_mlflows_own_upgrade_makes_of_it(kubectl: Kubectl, adopted: Manifest, tmp_path: Path) -> None:
    kubectl("exec", "deployment/tracking", "--", "python3", "-c", COPY)
    ours = tmp_path / "ours.db"
    ours.write_bytes(base64.b64decode(kubectl("exec", "deployment/tracking", "--", "base64", "/tmp/copy.db")))
    migrated, expected = (open_database(f"sqlite:///{file}") for file in (ours, upgraded_by_mlflow(RELEASE, tmp_path)))
    try:
        assert differences(what_is_left(migrated), what_is_left(expected)) == []
    finally:
        migrated.dispose()
        expected.dispose()


def test_it_takes_runs(kubectl: Kubectl, adopted: Manifest) -> None:
    with kubectl.forward("service/tracking", 5000) as url:
        run_id = log_run(url, "after")
        assert read_run(url, run_id)["info"]["run_name"] == "after"
