"""What the stories on the cluster do again and again: write a TrackingServer, log a run, look at Jobs and Events."""

import base64
import contextlib
import inspect
import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.support.http import call, call_json
from tests.support.kubectl import Kubectl, Manifest, eventually
from tests.support.pods import a_claim, a_pod, wait_until_running
from tracking_operator.resource import names

NEWER_IMAGE: Final = "trackplane-test-newer:dev"
"""One revision more than SERVER_IMAGE: going to it is a real migration."""
FAILING_IMAGE: Final = "trackplane-test-failing:dev"
"""Its migration damages the names of the runs and then fails."""

SMALL: Final[Manifest] = {"spec": {"resources": {"requests": {"storage": "100Mi"}}}}
SQLITE: Final[Manifest] = {"sqlite": {"volumeClaimTemplate": SMALL}}

DATABASE_FILE: Final = "/var/lib/trackplane/database/mlflow.db"
API: Final = "/api/2.0/mlflow"


def a_tracking_server(name: str = "tracking", **spec: Any) -> Manifest:
    """A small one, on SQLite unless the spec says otherwise."""
    return {
        "apiVersion": f"{names.GROUP}/{names.VERSION}",
        "kind": names.KIND,
        "metadata": {"name": name},
        "spec": {
            "database": SQLITE,
            "artifacts": {"store": {"volume": {"volumeClaimTemplate": SMALL}}},
            "server": {"workers": 1},
            "template": {"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}}},
            **spec,
        },
    }


def fill_claim(kubectl: Kubectl, claim: str, file: Path, name: str) -> None:
    """Makes the PersistentVolumeClaim, and puts the file on its volume under the name."""
    kubectl.apply(a_claim(claim, "100Mi"), a_pod("fills", ["sleep", "infinity"], claims={"/volume": claim}))
    wait_until_running(kubectl, "fills")
    content = base64.b64encode(file.read_bytes()).decode()
    kubectl("exec", "--stdin", "fills", "--", "bash", "-c", f"base64 --decode > /volume/{name}", given=content)
    kubectl.delete("pod", "fills")


def rows_of(connection: sqlite3.Connection) -> list[str]:
    """All rows but those of our own tables, each with the name of its table."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%trackplane%'")
    return sorted(
        f"{table}: {row}" for (table,) in tables.fetchall() for row in connection.execute(f'SELECT * FROM "{table}"')
    )


def rows_of_server(kubectl: Kubectl, server: str) -> list[str]:
    """`rows_of` the SQLite database of a server that runs."""
    program = f"""import json, sqlite3
{inspect.getsource(rows_of)}
print(json.dumps(rows_of(sqlite3.connect("file:{DATABASE_FILE}?mode=ro", uri=True))))"""
    lines: list[str] = json.loads(kubectl("exec", f"deployment/{server}", "--", "python3", "-c", program))
    return lines


def post(url: str, path: str, **fields: Any) -> Any:
    reply = call_json(url, "POST", f"{API}/{path}", fields)
    assert reply.status == 200, (path, reply.status, reply.body)
    return reply.json


def log_run(url: str, name: str) -> str:
    """A finished run of the default experiment with one param and one metric. Returns its id."""
    run_id: str = post(url, "runs/create", experiment_id="0", run_name=name, start_time=1)["run"]["info"]["run_id"]
    metrics = [{"key": "loss", "value": 0.5, "timestamp": 1, "step": 1}]
    post(url, "runs/log-batch", run_id=run_id, params=[{"key": "alpha", "value": name}], metrics=metrics)
    post(url, "runs/update", run_id=run_id, status="FINISHED", end_time=2)
    return run_id


def read_run(url: str, run_id: str) -> Mapping[str, Any]:
    reply = call(url, "GET", f"{API}/runs/get?run_id={run_id}")
    assert reply.status == 200, (reply.status, reply.body)
    run: Mapping[str, Any] = reply.json["run"]
    return run


def is_serving(url: str) -> bool:
    try:
        return call(url, "GET", "/readyz").status == 200
    except OSError:
        return False


def jobs(kubectl: Kubectl, server: str, component: str) -> list[Manifest]:
    return kubectl.list("jobs", f"{names.INSTANCE_LABEL}={server},{names.COMPONENT_LABEL}={component}")


def pods(kubectl: Kubectl, server: str, component: str = names.SERVER) -> list[Manifest]:
    """Those that are not being deleted."""
    found = kubectl.list("pods", f"{names.INSTANCE_LABEL}={server},{names.COMPONENT_LABEL}={component}")
    return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]


def leader(operator: Kubectl) -> str:
    """The pod of the operator that holds the Lease."""

    def holder() -> str | None:
        lease = operator.get("lease", "trackplane-operator")
        identity = (lease or {}).get("spec", {}).get("holderIdentity") or ""
        return next((pod for pod in names_of(operator.list("pods")) if identity.startswith(pod)), None)

    return eventually("an operator leads", holder, seconds=60)


def names_of(manifests: list[Manifest]) -> list[str]:
    return [manifest["metadata"]["name"] for manifest in manifests]


def end_at_once(operator: Kubectl, pod: str) -> None:
    """kill -9 to the process, and the pod goes too: another one starts at once, without a back-off."""
    with contextlib.suppress(AssertionError, StopIteration, KeyError):  # it has not started, or has ended by itself
        operator.kill(pod)
    operator("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false", "--ignore-not-found", check=False)
