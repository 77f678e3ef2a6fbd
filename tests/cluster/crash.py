"""Kill -9 to server, operator and Job pods at random moments under writes, an upgrade among them; then read all back.

`make crash SEED=1` runs it. It ends with 1 when something that was acknowledged is lost, or when nothing serves again.
"""

import argparse
import contextlib
import json
import random
import time
from collections import Counter
from pathlib import Path
from typing import Final

from tests.support import crash_writers
from tests.support.installation import install_operator
from tests.support.kubectl import Kubectl, Manifest, eventually
from tests.support.pods import SERVER_IMAGE, a_pod
from tests.support.postgres import a_postgres
from tests.support.stories import NEWER_IMAGE, a_tracking_server, names_of
from tracking_operator.resource import names

WRITERS: Final = Path(crash_writers.__file__)
WRITER_COUNT: Final = 4
KILLS_OF_A_JOB: Final = 2
"""A Job is tried four times. A third kill of the same one, and a person would have to ask for another attempt."""
SETTLE_SECONDS: Final = 300


class Killer:
    """Chooses whom to kill, and when. Jobs are short, so they are looked for first, every second time."""

    def __init__(self, seed: int, operator: Kubectl, kubectl: Kubectl) -> None:
        self.killed: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._operator = operator
        self._kubectl = kubectl
        self._jobs: Counter[str] = Counter()

    def pause_seconds(self) -> float:
        return self._random.uniform(0.1, 0.6)

    def kill_one(self) -> str | None:
        """The name of who was killed."""
        is_for_jobs, (kind,) = self._random.random() < 0.5, self._random.choices(("server", "operator", ""), (2, 1, 9))
        pods = self._victims("job") if is_for_jobs else []
        kind = "job" if pods else kind
        pods = pods or self._victims(kind)
        if not pods:
            return None
        pod = self._random.choice(pods)
        where = self._operator if kind == "operator" else self._kubectl
        name: str = pod["metadata"]["name"]
        if waits_for_back_off(pod):  # the only way to have it back before Kubernetes has waited for minutes
            where("delete", "pod", name, "--grace-period=0", "--force", "--ignore-not-found")
            return f"{name} (with its pod)"
        try:
            where.kill(name)
        except (AssertionError, KeyError, StopIteration):
            return None  # it has ended by itself, or not begun
        self._jobs[job_of(pod)] += 1
        self.killed[kind] += 1
        return name

    def _victims(self, kind: str) -> list[Manifest]:
        if not kind:
            return []
        if kind == "operator":
            return self._operator.list("pods")
        if kind == "server":
            return self._kubectl.list("pods", f"{names.COMPONENT_LABEL}={names.SERVER}")
        of_jobs = self._kubectl.list("pods", f"{names.COMPONENT_LABEL},{names.COMPONENT_LABEL}!={names.SERVER}")
        return [
            pod for pod in of_jobs if pod["status"]["phase"] == "Running" and self._jobs[job_of(pod)] < KILLS_OF_A_JOB
        ]


def waits_for_back_off(pod: Manifest) -> bool:
    statuses = pod["status"].get("containerStatuses", [])
    return any(status["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff" for status in statuses)


def job_of(pod: Manifest) -> str:
    name: str = pod["metadata"].get("labels", {}).get("batch.kubernetes.io/job-name", "")
    return name


def start_server(kubectl: Kubectl, database: str) -> None:
    spec: Manifest = {"image": SERVER_IMAGE, "server": {"workers": 2}, "upgrade": {"onFailure": "RestoreBackup"}}
    if database == "postgresql":
        uri = "postgresql://trackplane:secret@postgres/trackplane"
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"}, "stringData": {"uri": uri}}
        kubectl.apply(*a_postgres("secret"), secret)
        kubectl("wait", "pod/postgres", "--for=condition=Ready", "--timeout=120s")
        spec["database"] = {"uriSecretRef": {"name": "database"}}
    kubectl.apply(a_tracking_server(**spec))
    kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=180)


def start_writers(kubectl: Kubectl, seconds: float) -> None:
    arguments = ["http://tracking:5000", str(seconds), str(WRITER_COUNT)]
    kubectl.apply(a_pod("writers", ["python3", "-u", "-c", WRITERS.read_text(), *arguments]))
    kubectl("wait", "pod/writers", "--for=condition=Ready", "--timeout=120s")


def kill_for(killer: Killer, kubectl: Kubectl, seconds: float) -> None:
    """The upgrade begins when a third of the time is over."""
    began = time.monotonic()
    is_upgraded = False
    while (now := time.monotonic() - began) < seconds:
        if not is_upgraded and now > seconds / 3:
            kubectl.patch("trackingserver", "tracking", {"spec": {"image": NEWER_IMAGE}})
            is_upgraded = True
            print(f"{now:6.1f} s  the upgrade begins", flush=True)
        if (killed := killer.kill_one()) is not None:
            print(f"{now:6.1f} s  kill -9 {killed}", flush=True)
        time.sleep(min(killer.pause_seconds(), max(0.0, seconds - now)))


def result_of(kubectl: Kubectl) -> Manifest:
    """What the writers say, once they have read everything back."""

    def ended() -> bool:
        pod = kubectl.get("pod", "writers")
        return pod is not None and pod["status"]["phase"] in {"Succeeded", "Failed"}

    eventually("the writers have read everything back", ended, seconds=SETTLE_SECONDS, every=2)
    result: Manifest = json.loads(kubectl("logs", "writers", "--tail=1"))
    return result


def crash(seed: int, seconds: float, database: str) -> bool:
    """Whether nothing is lost and the newer version serves."""
    operator = install_operator()
    kubectl = Kubectl(namespace=f"crash-{seed}-{database}-{int(time.time())}")
    kubectl.make_namespace()
    try:
        start_server(kubectl, database)
        start_writers(kubectl, seconds)
        killer = Killer(seed, operator, kubectl)
        kill_for(killer, kubectl, seconds)
        kubectl.wait_for_condition("trackingserver", "tracking", "Ready", seconds=SETTLE_SECONDS)
        result = result_of(kubectl)
        migrations = names_of(kubectl.list("jobs", f"{names.COMPONENT_LABEL}={names.MIGRATE}"))
    except AssertionError:
        print(kubectl.report())
        print(operator.report())
        raise
    finally:
        with contextlib.suppress(AssertionError):
            kubectl("delete", "namespace", kubectl.namespace, "--wait=false")
    print("killed        ", ", ".join(f"{count} x {kind}" for kind, count in sorted(killer.killed.items())))
    print("migrations    ", len(migrations))
    print("acknowledged  ", sum(result["acknowledged"].values()), result["acknowledged"])
    print("unanswered    ", result["unanswered"])
    print("lost          ", result["lost"], *result["some"])
    return bool(result["acknowledged"]) and not result["lost"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    given = parser.parse_args()
    raise SystemExit(0 if crash(given.seed, given.seconds, given.database) else 1)
