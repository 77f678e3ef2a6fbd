"""A real cluster as a story sees it: kubectl with deadlines, the audit log, and what to print when a story fails."""

import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

import yaml

Manifest: TypeAlias = dict[str, Any]
T = TypeVar("T")

CONTROL_PLANE: Final = "trackplane-control-plane"
AUDIT_LOG: Final = "/var/log/kubernetes/audit.log"


def run(*command: str, given: str | None = None, seconds: float = 120, check: bool = True) -> str:
    """What the command printed. A command that fails is a story that fails, with what it said."""
    finished = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds, check=False)
    if check and finished.returncode:
        raise AssertionError(
            f"{' '.join(command)}\nended with {finished.returncode}\n{finished.stdout}{finished.stderr}"
        )
    return finished.stdout


def eventually(what: str, probe: Callable[[], T | None], *, seconds: float = 60, every: float = 0.5) -> T:
    """The first answer that is neither None nor False. When none comes in time, the error says what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found is not None and found is not False:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} seconds: {what}")
        time.sleep(every)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kubectl:
    """kubectl in one namespace."""

    namespace: str

    def __call__(self, *arguments: str, given: str | None = None, seconds: float = 120, check: bool = True) -> str:
        return run("kubectl", "--namespace", self.namespace, *arguments, given=given, seconds=seconds, check=check)

    def make_namespace(self) -> None:
        """One that enforces restricted Pod Security."""
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": self.namespace, "labels": labels}
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        self("apply", "--server-side", "--filename", "-", given=yaml.safe_dump_all(manifests))

    def get(self, kind: str, name: str) -> Manifest | None:
        text = self("get", kind, name, "--output", "json", "--ignore-not-found")
        found: Manifest | None = json.loads(text) if text else None
        return found

    def list(self, kind: str, selector: str = "") -> list[Manifest]:
        items: list[Manifest] = json.loads(self("get", kind, "--selector", selector, "--output", "json"))["items"]
        return items

    def patch(self, kind: str, name: str, change: Mapping[str, Any]) -> None:
        self("patch", kind, name, "--type", "merge", "--patch", json.dumps(change))

    def delete(self, kind: str, name: str, *, seconds: float = 120) -> None:
        self("delete", kind, name, "--ignore-not-found", f"--timeout={seconds:g}s", seconds=seconds + 10)

    def condition(self, kind: str, name: str, type_: str) -> Manifest | None:
        """The condition, unless it speaks of an older generation of the object."""
        found = self.get(kind, name)
        if found is None:
            return None
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == type_:
                generation = found["metadata"]["generation"]
                return condition if condition.get("observedGeneration", generation) == generation else None
        return None

    def wait_for_condition(
        self,
        kind: str,
        name: str,
        type_: str,
        status: str = "True",
        *,
        reason: str | None = None,
        seconds: float = 120,
    ) -> Manifest:
        last: Manifest | None = None

        def holds() -> Manifest | None:
            nonlocal last
            last = self.condition(kind, name, type_)
            if last is None or last["status"] != status or reason not in {None, last["reason"]}:
                return None
            return last

        try:
            return eventually(f"{kind} {name}: {type_}={status} ({reason or 'any reason'})", holds, seconds=seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\nlast seen: {last}") from None

    def logs(self, pod: str, *, lines: int = 200) -> str:
        return self("logs", pod, "--all-containers", "--prefix", f"--tail={lines}", check=False)

    @contextlib.contextmanager
    def forward(self, target: str, port: int) -> Generator[str]:
        """The URL of a port of this machine that leads to a pod behind `target`, for example `service/tracking`."""
        command = ["kubectl", "--namespace", self.namespace, "port-forward", target, f":{port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                assert line.startswith("Forwarding from 127.0.0.1:"), line + process.stdout.read()
                yield f"http://127.0.0.1:{line.split(':')[1].split()[0]}"
            finally:
                process.terminate()

    def kill(self, pod: str, container: str | None = None) -> None:
        """`kill -9` to a container of the pod, from the node: nothing in the pod hears of it beforehand."""
        found = self.get("pod", pod)
        assert found is not None, f"pod {pod} is not there"
        statuses: list[Manifest] = found["status"]["containerStatuses"]
        chosen = next(status for status in statuses if container in {None, status["name"]})
        identity = chosen["containerID"].removeprefix("containerd://")
        run(
            "docker",
            "exec",
            found["spec"]["nodeName"],
            "ctr",
            "-n",
            "k8s.io",
            "tasks",
            "kill",
            "-s",
            "SIGKILL",
            identity,
        )

    def report(self) -> str:
        """Everything that helps to see why a story failed."""
        parts = [
            self("get", "trackingservers", "--output", "yaml", check=False),
            self("get", "pods,jobs,deployments,cronjobs,pvc,services,endpointslices", "--output", "wide", check=False),
            self("get", "events", "--sort-by=.lastTimestamp", check=False),
        ]
        for pod in self.list("pods"):
            name = pod["metadata"]["name"]
            parts.append(f"---- logs of pod {name}\n{self.logs(name)}")
            if any(status.get("restartCount") for status in pod["status"].get("containerStatuses", [])):
                before = self("logs", name, "--previous", "--all-containers", "--tail=100", check=False)
                parts.append(f"---- logs of pod {name} before its last restart\n{before}")
        return "\n".join(parts)


def audited() -> list[Manifest]:
    """Every finished request of a workload's service account to the API server so far, in order (audit-policy.yaml)."""
    return [json.loads(line) for line in run("docker", "exec", CONTROL_PLANE, "cat", AUDIT_LOG).splitlines()]
