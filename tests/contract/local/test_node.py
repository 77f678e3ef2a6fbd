"""Pods as real processes: how they start, report, fail, come again and end."""

import asyncio
import base64
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import free_port
from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.outside.node import Node
from tracking_operator.outside.pod_process import Machine
from tracking_operator.resource.kinds import CRON_JOB, DEPLOYMENT, JOB, POD, SECRET, Kind, Manifest, Ref

DEADLINE_SECONDS = 20
SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *arguments):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CRASHES_ONCE = """
import pathlib, sys, time
mark = pathlib.Path(sys.argv[1])
if not mark.exists():
    mark.touch()
    sys.exit(3)
time.sleep(60)
"""
HAS_A_CHILD = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""


@dataclass
class Place:
    """A node that runs, and what it has said."""

    cluster: MemoryCluster
    folder: Path
    said: list[str] = field(default_factory=list[str])

    def put(self, kind: Kind, name: str, **content: Any) -> Ref:
        metadata = {"name": name, "namespace": "ml"}
        self.cluster.put({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": metadata, **content})
        return Ref(kind=kind, namespace="ml", name=name)

    def job(self, command: list[str], **fields: Any) -> Ref:
        template = self.template(command, **fields)
        template["spec"]["restartPolicy"] = "Never"
        policy = {"rules": [{"action": "FailJob", "onExitCodes": {"values": [14]}}]}
        return self.put(JOB, "job", spec={"backoffLimit": 1, "podFailurePolicy": policy, "template": template})

    def deployment(self, command: list[str], **fields: Any) -> Ref:
        template = self.template(command, **fields)
        selector = {"matchLabels": template["metadata"]["labels"]}
        return self.put(DEPLOYMENT, "server", spec={"replicas": 1, "selector": selector, "template": template})

    def template(self, command: list[str], **fields: Any) -> Manifest:
        report = str(self.folder / "report")
        container = {
            "name": "job",
            "image": "local",
            "command": command,
            "env": [{"name": "REPORT", "value": report}],
            "terminationMessagePath": report,
            "volumeMounts": [{"name": "tmp", "mountPath": str(self.folder)}],
            **fields,
        }
        labels = {"app.kubernetes.io/component": "test"}
        return {"metadata": {"labels": labels}, "spec": {"containers": [container], "terminationGracePeriodSeconds": 5}}

    @property
    def pods(self) -> tuple[Manifest, ...]:
        return self.cluster.objects(POD)

    def condition(self, ref: Ref) -> str:
        conditions = (self.cluster.find(ref) or {}).get("status", {}).get("conditions", ())
        return next((f"{one['type']} {one['status']}" for one in conditions), "")

    def state(self) -> Manifest:
        """Of the container of the newest pod."""
        statuses = self.pods[-1]["status"].get("containerStatuses", ()) if self.pods else ()
        return dict(statuses[0]["state"]) if statuses else {}


@contextlib.asynccontextmanager
async def a_place(folder: Path) -> AsyncGenerator[Place]:
    """Its clock shows one second to midnight when it begins."""
    ahead = datetime(2026, 3, 1, 23, 59, 59, tzinfo=UTC) - datetime.now(UTC)

    def now() -> datetime:
        return datetime.now(UTC) + ahead

    place = Place(cluster=MemoryCluster(now), folder=folder)
    node = Node(
        Machine(
            cluster=place.cluster,
            environ=os.environ,
            folder=folder,
            address="127.0.0.1",
            say=lambda component, line: place.said.append(f"{component}: {line}"),
            now=now,
        )
    )
    running = asyncio.create_task(node.run())
    try:
        yield place
    finally:
        node.stop()
        await running


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        await asyncio.sleep(0.02)


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_job_that_succeeds_hands_over_its_report(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            code = "import os,json; print('hello'); json.dump({'ok': True}, open(os.environ['REPORT'], 'w'))"
            job = place.job(_python(code))
            await until(lambda: place.condition(job) == "Complete True")
            assert json.loads(place.state()["terminated"]["message"]) == {"ok": True}
            assert place.said == ["test: hello"]

    asyncio.run(story())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("exit_code", "pods"), [pytest.param(14, 1, id="terminal"), pytest.param(11, 2, id="worth another try")]
)
def test_a_job_that_fails_is_tried_as_often_as_its_policy_says(tmp_path: Path, exit_code: int, pods: int) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            job = place.job(_python(f"raise SystemExit({exit_code})"))
            await until(lambda: place.condition(job) == "Failed True")
            codes = [pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] for pod in place.pods]
            assert codes == [exit_code] * pods

    asyncio.run(story())


def test_a_schedule_makes_a_job_and_tells_of_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            template = place.template(_python("pass"))
            template["spec"]["restartPolicy"] = "Never"
            labels = {"app.kubernetes.io/component": "gc"}
            place.put(
                CRON_JOB,
                "collect",
                spec={
                    "schedule": "@daily",
                    "timeZone": "Etc/UTC",
                    "suspend": False,
                    "successfulJobsHistoryLimit": 1,
                    "failedJobsHistoryLimit": 1,
                    "jobTemplate": {"metadata": {"labels": labels}, "spec": {"backoffLimit": 0, "template": template}},
                },
            )
            await until(lambda: len(place.said) == 2)
            (job,) = (manifest["metadata"]["name"] for manifest in place.cluster.objects(JOB))
            assert place.said == [f"gc: Job {job} begins, as scheduled", f"gc: Job {job}: Complete"]

    asyncio.run(story())


def test_a_killed_process_is_reported_as_a_kubelet_does(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            place.job(_python("import os,signal; os.kill(os.getpid(), signal.SIGKILL)"))
            await until(lambda: "terminated" in place.state())
            assert place.state()["terminated"]["exitCode"] == 137

    asyncio.run(story())


def test_a_pod_waits_for_its_secret_and_then_starts(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            reference = {"name": "SECRET", "valueFrom": {"secretKeyRef": {"name": "database", "key": "uri"}}}
            job = place.job(_python("import os; print(os.environ['SECRET'])"), env=[reference])
            await until(lambda: place.state().get("waiting", {}).get("reason") == "CreateContainerConfigError")
            place.put(SECRET, "database", data={"uri": base64.b64encode(b"sqlite://").decode()})
            await until(lambda: place.condition(job) == "Complete True")
            assert place.said == ['test: secret "database" not found', "test: sqlite://"]

    asyncio.run(story())


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            place.job(["/no/such/program"])
            await until(lambda: "waiting" in place.state())
            assert place.state()["waiting"] == {
                "reason": "CreateContainerError",
                "message": "/no/such/program: No such file or directory",
            }

    asyncio.run(story())


def test_a_deployment_is_ready_when_its_probe_is_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            port = free_port()
            probe = {
                "httpGet": {"path": "/", "port": "http"},
                "periodSeconds": 1,
                "timeoutSeconds": 1,
                "failureThreshold": 1,
            }
            ports = [{"name": "http", "containerPort": port}]
            server = place.deployment(_python(SERVER, str(port)), readinessProbe=probe, ports=ports)
            await until(lambda: place.condition(server) == "Available True")
            await place.cluster.scale(server, 0)
            await until(lambda: not place.pods)
            assert (place.cluster.find(server) or {})["status"]["readyReplicas"] == 0

    asyncio.run(story())


def test_a_server_that_crashes_is_started_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            place.deployment(_python(CRASHES_ONCE, str(tmp_path / "mark")))
            await until(lambda: place.state().get("waiting", {}).get("reason") == "CrashLoopBackOff")
            await until(lambda: "running" in place.state())
            assert place.pods[0]["status"]["containerStatuses"][0]["restartCount"] == 1
            assert place.said == ["test: it ended with exit code 3; it is started again in 1 s"]

    asyncio.run(story())


def test_nothing_that_a_process_started_outlives_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_place(tmp_path) as place:
            place.deployment(_python(HAS_A_CHILD))
            await until(lambda: bool(place.said))
        child = int(place.said[0].removeprefix("test: "))
        await until(lambda: not _is_alive(child))

    asyncio.run(story())


def _is_alive(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
