"""Adopt: a volume holds a database that MLflow wrote. It is checked, backed up and migrated once; nothing is lost.

`tests/data/mlflow-3.17.2.db` is at MLflow's head and lacks our second lineage: what is done is additive, and real.
"""

import base64
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.client import last_line, run_script
from tests.support.environments import ROOT
from tests.support.golden import ARTIFACTS, FILE, read_by_mlflow
from tests.support.http import call
from tests.support.kubectl import Kubectl, Manifest
from tests.support.parity.answers import assert_same
from tests.support.pods import SERVER_IMAGE, a_claim, a_pod, wait_until_running

SAMPLE = ROOT / "examples" / "trackingserver-adopt.yaml"
READ_BACK = ROOT / "tests" / "contract" / "client" / "scripts" / "golden.py"
STEPS = ["Check", "Quiesce", "Hooks", "Backup", "Verify", "Migrate", "RollOut"]
A_FILE = "1/43590d9b4a7d4b9b97938f1886267f5e/artifacts/notes/readme.txt"


def fill_the_volumes(kubectl: Kubectl) -> None:
    """What a team has that ran MLflow's server before: its file, and its folder of artifacts."""
    claims = {"/database": "mlflow-database", "/artifacts": "mlflow-artifacts"}
    kubectl.apply(*(a_claim(name) for name in claims.values()))
    kubectl.apply(a_pod("before", ["sleep", "infinity"], claims=claims))
    wait_until_running(kubectl, "before")
    send(kubectl, FILE, "base64 --decode > /database/mlflow.db")
    send(kubectl, ARTIFACTS, "base64 --decode | tar --extract --gzip --strip-components=1 --directory=/artifacts")
    kubectl.delete("pod", "before")


def send(kubectl: Kubectl, file: Path, command: str) -> None:
    text = base64.b64encode(file.read_bytes()).decode()
    kubectl("exec", "--stdin", "before", "--", "bash", "-c", command, given=text)


@pytest.fixture(scope="module")
def adopted(operator: Kubectl, kubectl: Kubectl) -> Manifest:
    """The resource, ready."""
    fill_the_volumes(kubectl)
    server: Manifest = yaml.safe_load(SAMPLE.read_text())
    announce = {"name": "announce", "image": SERVER_IMAGE, "command": ["echo", "an upgrade begins"]}
    server["spec"]["upgrade"] = {"hooks": {"preMigration": [announce]}}
    kubectl.apply(server)
    kubectl.wait_for_condition("trackingserver", "adopted", "Ready", seconds=300)
    found = kubectl.get("trackingserver", "adopted")
    assert found is not None
    return found


def test_every_step_of_the_upgrade_ran(adopted: Manifest) -> None:
    steps = {step["name"]: step["state"] for step in adopted["status"]["upgrade"]["steps"]}
    assert steps == {**dict.fromkeys(STEPS, "Succeeded"), "CheckStore": "Skipped"}


def test_the_schema_was_migrated_by_one_job(kubectl: Kubectl, adopted: Manifest) -> None:
    schema = adopted["status"]["schema"]
    assert (schema["state"], schema["mlflow"]["current"]) == ("Current", "dc11669786a5")
    assert schema["trackplane"]["current"] == schema["trackplane"]["head"]
    (job,) = kubectl.list("jobs", "app.kubernetes.io/component=migrate")
    assert (job["status"]["succeeded"], job["status"].get("failed", 0)) == (1, 0)


def test_the_hook_ran(kubectl: Kubectl, adopted: Manifest) -> None:
    (pod,) = kubectl.list("pods", "app.kubernetes.io/component=hook")
    assert "an upgrade begins" in kubectl.logs(pod["metadata"]["name"])


def test_the_client_reads_what_it_read_from_mlflows_server(kubectl: Kubectl, adopted: Manifest, tmp_path: Path) -> None:
    with kubectl.forward("service/adopted", 5000) as url:
        assert_same(last_line(run_script(READ_BACK, url, home=tmp_path)), read_by_mlflow())
        with tarfile.open(ARTIFACTS) as archive:
            member = archive.extractfile(f"artifacts/{A_FILE}")
            assert member is not None
            assert call(url, "GET", f"/api/2.0/mlflow-artifacts/artifacts/{A_FILE}").body == member.read()


def test_the_backup_restores_to_an_equal_database(kubectl: Kubectl, adopted: Manifest, tmp_path: Path) -> None:
    archive = adopted["status"]["lastBackup"]["path"]
    folder = "/var/lib/trackplane/backups"
    kubectl.apply(a_pod("restores", ["sleep", "infinity"], claims={folder: "adopted-backups"}))
    wait_until_running(kubectl, "restores")
    restore = f"trackplane restore {archive} --backend-store-uri sqlite:////tmp/restored.db"
    kubectl("exec", "restores", "--", "bash", "-c", restore)
    restored = tmp_path / "restored.db"
    restored.write_bytes(base64.b64decode(kubectl("exec", "restores", "--", "base64", "/tmp/restored.db")))
    assert rows_of(restored) == rows_of(FILE)


def rows_of(file: Path) -> dict[str, list[Any]]:
    """All rows of all tables, in an order of their own."""
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables}
    connection.close()
    return {name: sorted(found, key=repr) for name, found in rows.items()}
