"""Carries the plan for one TrackingServer out as local processes: the same reconcile, without a cluster.

The cluster is in memory and forgotten at the end. What stays are the folders: database, artifacts and backups.
"""

import asyncio
import contextlib
import fcntl
import signal
import socket
import sys
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.desired.places import Places
from tracking_operator.errors import ClusterRefused, NotReadyYet
from tracking_operator.outside.documents import Documents, Written
from tracking_operator.outside.node import Node
from tracking_operator.outside.pod_process import Machine, Say
from tracking_operator.queue import Done, Gone, Pace, Queue, Result, Workers
from tracking_operator.reconcile import ReconcileSettings, reconcile
from tracking_operator.resource.conditions import ConditionType
from tracking_operator.resource.kinds import Manifest, Ref, ref_of

ADDRESS: Final = "127.0.0.1"
OPERATOR: Final = "operator"
PACE: Final = Pace(settle_seconds=0.02, jitter=0)


class CannotRun(Exception):
    """Something of this machine is in the way; the text says what, and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    data: Path
    """The folder for everything that stays."""
    port: int
    until_ready: bool
    """End as soon as the server is ready, instead of serving."""
    server_image: str
    environ: Mapping[str, str]


def places_in(data: Path, port: int) -> Places:
    """The folders of a pod, below `data`."""
    return Places(
        executable=(sys.executable, "-m", "tracking_server"),
        database=str(data / "database"),
        artifacts=str(data / "artifacts"),
        backups=str(data / "backups"),
        secrets=str(data / "secrets"),
        temporary=str(data / "tmp"),
        report=str(data / "report.json"),
        host=ADDRESS,
        port=port,
    )


async def run_locally(written: Written, documents: Documents, options: Options, say: Say) -> bool:
    """Serves until SIGINT or SIGTERM. False when it cannot go on without a person, or did not get ready as it should.

    Raises `CannotRun` when the port or the folder is in use, or cannot be used.
    """
    if "?" in str(options.data):
        raise CannotRun(f"{options.data}: a folder with a question mark cannot stand in the URL of a database")
    _require_free(options.port)
    options.data.mkdir(parents=True, exist_ok=True)
    with _alone_in(options.data):
        return await _LocalRun(written, documents, options, say).run()


class _LocalRun:
    def __init__(self, written: Written, documents: Documents, options: Options, say: Say) -> None:
        self._options = options
        self._say = say
        self._settings = ReconcileSettings(
            server_image=options.server_image, places=places_in(options.data, options.port)
        )
        self._cluster = MemoryCluster(_now)
        for manifest in (*documents.secrets, _for_one_machine(written)):
            self._cluster.put(manifest)
        self._ref = ref_of(written.resource)
        self._node = Node(
            Machine(
                cluster=self._cluster,
                environ=options.environ,
                folder=options.data / "tmp",
                address=ADDRESS,
                say=say,
                now=_now,
            )
        )
        self._workers = Workers(Queue(PACE), self._reconcile, _Unobserved())
        self._cluster.subscribe(lambda _: self._workers.add(self._ref))
        self._has_been_ready = False
        self._is_stuck = False

    async def run(self) -> bool:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        self._workers.add(self._ref)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._node.run(), name="node")
                group.create_task(self._workers.run(1), name="operator")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
        return not self._is_stuck and (self._has_been_ready or not self._options.until_ready)

    def _stop(self) -> None:
        self._workers.stop()
        self._node.stop()

    async def _reconcile(self, ref: Ref) -> Done | Gone:
        before = _conditions(self._cluster.find(ref))
        try:
            outcome = await reconcile(ref, self._cluster, _now(), self._settings)
        except (NotReadyYet, ClusterRefused) as error:
            self._say(OPERATOR, str(error))
            raise
        for report in outcome.reports:
            self._say(OPERATOR, f"{report.reason}: {report.note}")
        self._notice(before, _conditions(self._cluster.find(ref)))
        return Done(delay_seconds=outcome.requeue_seconds)

    def _notice(self, before: Mapping[str, Manifest], after: Mapping[str, Manifest]) -> None:
        """Says when it is ready, and ends when nothing more will happen."""
        if _is_true(after, ConditionType.READY):
            if not _is_true(before, ConditionType.READY):
                self._say(OPERATOR, f"Ready: http://{ADDRESS}:{self._options.port}")
            self._has_been_ready = True
            if self._options.until_ready:
                self._stop()
        if _is_true(after, ConditionType.STALLED) and not _is_true(after, ConditionType.AVAILABLE):
            self._say(OPERATOR, f"Stalled: {after[ConditionType.STALLED]['message']}")
            self._say(OPERATOR, "Nothing can run: it ends here. Started again, it takes the steps again")
            self._is_stuck = True
            self._stop()


class _Unobserved:
    """Nobody counts the passes of a local run."""

    def started(self, waited_seconds: float) -> None:
        pass

    def finished(self, result: Result, seconds: float) -> None:
        pass


def _now() -> datetime:
    return datetime.now(UTC)


def _for_one_machine(written: Written) -> Manifest:
    """One process serves here, with as many workers as the spec says, however many pods there would be."""
    replicas = min(written.server.spec.replicas, 1)
    return {**written.resource, "spec": {**written.resource["spec"], "replicas": replicas}}


def _conditions(resource: Manifest | None) -> dict[str, Manifest]:
    status = (resource or {}).get("status", {})
    return {condition["type"]: condition for condition in status.get("conditions", ())}


def _is_true(conditions: Mapping[str, Manifest], name: ConditionType) -> bool:
    return conditions.get(name, {}).get("status") == "True"


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise CannotRun(f"port {port} is in use; choose another one with --port") from error


@contextlib.contextmanager
def _alone_in(data: Path) -> Generator[None]:
    with (data / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotRun(f"{data} is used by another `trackplane-operator local`") from error
        yield
