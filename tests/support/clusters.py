"""A small world around the cluster in memory: controllers, a kubelet, a database that has a revision and rows, users.

Time passes with `tick`; nothing here sleeps. What no order of events may ever bring about is checked at every step, and
raises: two migrations at once, a server that is ready on a schema it does not know, a migration without a backup that
holds every row, a restore that takes acknowledged rows back.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from tests.support.servers import NAME, NAMESPACE, a_resource
from tracking_operator.cluster.memory import MemoryCluster
from tracking_operator.decisions.events import Report
from tracking_operator.reconcile import Outcome, ReconcileSettings, reconcile
from tracking_operator.resource import names
from tracking_operator.resource.kinds import (
    CRON_JOB,
    DEPLOYMENT,
    JOB,
    POD,
    SECRET,
    TRACKING_SERVER,
    Kind,
    Manifest,
    Ref,
    ref_of,
)

HEADS: Final[Mapping[str, int]] = {"server:1.1": 1, **{f"server:{head}": head for head in range(1, 21)}}
"""The revision of the schema that each image needs."""
BROKEN: Final = -1
"""The revision of a schema that a failed migration has left half way."""
TERMINAL_EXIT_CODES: Final = frozenset({2, 10, 13, 14, 15, 16, 18})
RETRIES: Final = 2
SERVER: Final = Ref(kind=TRACKING_SERVER, namespace=NAMESPACE, name=NAME)
SERVES: Final = Ref(kind=DEPLOYMENT, namespace=NAMESPACE, name=NAME)
CRON: Final = Ref(kind=CRON_JOB, namespace=NAMESPACE, name=names.gc_cron_job(NAME))
DATABASE_SECRET: Final = Ref(kind=SECRET, namespace=NAMESPACE, name="database")
BUCKET_SECRET: Final = Ref(kind=SECRET, namespace=NAMESPACE, name="bucket")

Ending: TypeAlias = Literal["succeed", "fail", "unreachable", "busy", "halfway", "killed", "slow", "mute"]


@dataclass(kw_only=True, slots=True)
class Database:
    revision: int | None = None
    """None: there is no schema."""
    rows: int = 0
    is_reachable: bool = True
    is_foreign: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    revision: int | None
    rows: int


class Killed(Exception):
    """The operator died between two writes."""


@dataclass(kw_only=True, slots=True)
class MortalCluster:
    """The same cluster, for an operator that dies after so many writes."""

    cluster: MemoryCluster
    writes_left: int

    def _write(self) -> None:
        if self.writes_left == 0:
            raise Killed
        self.writes_left -= 1

    async def get(self, ref: Ref) -> Manifest | None:
        return await self.cluster.get(ref)

    async def get_metadata(self, ref: Ref) -> Manifest | None:
        return await self.cluster.get_metadata(ref)

    async def list(
        self, kind: Kind, namespace: str | None, *, labels: Mapping[str, str] | None = None
    ) -> tuple[Manifest, ...]:
        return await self.cluster.list(kind, namespace, labels=labels)

    async def apply(self, manifest: Manifest) -> Manifest:
        self._write()
        return await self.cluster.apply(manifest)

    async def apply_status(self, manifest: Manifest) -> Manifest:
        self._write()
        return await self.cluster.apply_status(manifest)

    async def scale(self, ref: Ref, replicas: int) -> None:
        self._write()
        await self.cluster.scale(ref, replicas)

    async def create(self, manifest: Manifest) -> Manifest:
        self._write()
        return await self.cluster.create(manifest)

    async def delete(self, ref: Ref, *, uid: str | None = None) -> None:
        self._write()
        await self.cluster.delete(ref, uid=uid)


@dataclass(kw_only=True, slots=True)
class World:
    now: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    database: Database = field(default_factory=Database)
    archives: dict[str, Archive] = field(default_factory=dict[str, Archive])
    verified: set[str] = field(default_factory=set[str])
    endings: dict[str, Ending] = field(default_factory=dict[str, Ending])
    """How the Jobs of a component end; those that are not named succeed."""
    unpullable: set[str] = field(default_factory=set[str])
    grace_seconds: int = 1
    """How long a pod takes to end."""
    has_key: bool = True
    """Whether the Secret of the database has the key that the spec names."""
    store_fault: str = ""
    """Why the artifact store cannot be used, as a report says it; empty when it can."""
    needs_backup: bool = True
    reports: list[Report] = field(default_factory=list[Report])
    migrations: int = 0
    """How many pods have migrated the schema to its end."""
    cluster: MemoryCluster = field(init=False)
    _made: int = 0
    _due_at: datetime | None = None
    """When the operator looks again: at once after an event, else when it asked to."""

    def __post_init__(self) -> None:
        self.cluster = MemoryCluster(lambda: self.now)
        self.cluster.subscribe(self._happened)

    # What users do.

    def submit(self, *, annotations: Mapping[str, str] | None = None, **spec: Any) -> None:
        """Creates the TrackingServer, or replaces its spec."""
        self.cluster.put(a_resource(annotations=annotations, **spec))

    def edit(self, *, annotations: Mapping[str, str] | None = None, **fields: Any) -> None:
        """Changes fields of the spec; None removes one."""
        resource = self.resource
        spec = {**resource["spec"], **fields}
        resource["spec"] = {name: value for name, value in spec.items() if value is not None}
        if annotations is not None:
            resource["metadata"]["annotations"] = dict(annotations)
        self.cluster.put(resource)

    def put_secret(self, *, uri: str = "postgresql://db/mlflow") -> None:
        self._put_secret(DATABASE_SECRET, {"uri": uri})

    def put_bucket_keys(self, *, secret: str = "one") -> None:
        self._put_secret(BUCKET_SECRET, {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": secret})

    def _put_secret(self, ref: Ref, data: Mapping[str, str]) -> None:
        metadata = {"name": ref.name, "namespace": ref.namespace}
        self.cluster.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": dict(data)})

    def drop(self, ref: Ref) -> None:
        """Deletes an object by hand."""
        asyncio.run(self.cluster.delete(ref))

    # What the operator does.

    def reconcile(self, *, dies_after: int | None = None) -> Outcome | None:
        """One pass; None when the operator died in it."""
        mortal = None if dies_after is None else MortalCluster(cluster=self.cluster, writes_left=dies_after)
        settings = ReconcileSettings(server_image="server:1")
        before = self.replicas
        try:
            outcome = asyncio.run(reconcile(SERVER, mortal or self.cluster, self.now, settings))
        except Killed:
            return None
        finally:
            self._check_stop(before)
        self.reports.extend(outcome.reports)
        return outcome

    def run(self, seconds: int = 60) -> None:
        """Time passes. The operator answers every event at once, and comes back when it said that it would."""
        for _ in range(seconds):
            self._answer_events()
            self.tick()
        self._answer_events()

    def _answer_events(self) -> None:
        for _ in range(100):
            if self._due_at is None or self._due_at > self.now:
                return
            self._due_at = None
            outcome = self.reconcile()
            if self._due_at is None and outcome is not None and outcome.requeue_seconds is not None:
                self._due_at = self.now + timedelta(seconds=outcome.requeue_seconds)
        message = "the operator answers its own writes for ever"
        raise AssertionError(message)

    def _happened(self, _ref: Ref) -> None:
        self._due_at = self.now

    # What can be seen.

    @property
    def resource(self) -> Manifest:
        found = self.cluster.find(SERVER)
        assert found is not None
        return found

    @property
    def status(self) -> Manifest:
        status: Manifest = self.resource.get("status", {})
        return status

    def condition(self, name: str) -> tuple[str, str] | None:
        """Status and reason."""
        for condition in self.status.get("conditions", ()):
            if condition["type"] == name:
                return condition["status"], condition["reason"]
        return None

    def message(self, name: str) -> str:
        return next(str(one["message"]) for one in self.status["conditions"] if one["type"] == name)

    def steps(self) -> dict[str, str]:
        return {step["name"]: step["state"] for step in self.status.get("upgrade", {}).get("steps", ())}

    def jobs(self, component: str) -> tuple[Manifest, ...]:
        return self.cluster.objects(JOB, NAMESPACE, labels={names.COMPONENT_LABEL: component})

    def pods(self, component: str) -> tuple[Manifest, ...]:
        return self.cluster.objects(POD, NAMESPACE, labels={names.COMPONENT_LABEL: component})

    @property
    def ready_pods(self) -> int:
        return sum(_is_ready(pod) for pod in self.pods(names.SERVER))

    @property
    def deployment(self) -> Manifest:
        found = self.cluster.find(SERVES)
        assert found is not None
        return found

    @property
    def replicas(self) -> int:
        """What is asked of the Deployment; nothing when there is none."""
        found = self.cluster.find(SERVES)
        return 0 if found is None else int(found["spec"]["replicas"])

    @property
    def serving_image(self) -> str:
        return str(self.deployment["spec"]["template"]["spec"]["containers"][0]["image"])

    def events(self) -> list[str]:
        return [str(report.reason) for report in self.reports]

    # What controllers and the kubelet do.

    def tick(self) -> None:
        """One second."""
        self.now += timedelta(seconds=1)
        for job in self.cluster.objects(JOB, NAMESPACE):
            self._control_job(job)
        for pod in self.cluster.objects(POD, NAMESPACE):
            if self._has_ended(pod):
                self.cluster.remove(ref_of(pod))
        for deployment in self.cluster.objects(DEPLOYMENT, NAMESPACE):
            self._control_deployment(deployment)
        for pod in self.cluster.objects(POD, NAMESPACE):
            self._run_pod(pod)
        for deployment in self.cluster.objects(DEPLOYMENT, NAMESPACE):
            self._report_deployment(deployment)
        self.check()

    def check(self) -> None:
        """What must be so at every moment."""
        migrating = [pod for pod in self.pods(names.MIGRATE) if _phase(pod) == "Running"]
        if len(migrating) > 1:
            self._violate("two migrations run at once")
        for pod in self.pods(names.SERVER):
            if _is_ready(pod) and HEADS[_image(pod)] != self.database.revision:
                self._violate(f"{_image(pod)} is ready on revision {self.database.revision}")
            if migrating and _phase(pod) == "Running":
                self._violate("a server runs while the schema is migrated")

    def collect_garbage(self) -> None:
        """The CronJob starts a Job, unless it is suspended."""
        cron_job = self.cluster.find(CRON)
        if cron_job is not None and not cron_job["spec"]["suspend"]:
            self._made += 1
            template = cron_job["spec"]["jobTemplate"]
            metadata = {**template["metadata"], "name": f"{CRON.name}-{self._made}", "namespace": NAMESPACE}
            self.cluster.put({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]})

    def crash_pod(self, component: str) -> None:
        """kill -9, of the first pod of the component that runs."""
        for pod in self.pods(component):
            if _phase(pod) == "Running":
                self._set_terminated(pod, 137, "")
                return

    def _check_stop(self, before: int) -> None:
        """What serves is stopped only to change the schema, or because somebody wants it stopped."""
        if before == 0 or self.replicas > 0 or self.cluster.find(SERVER) is None:
            return
        spec = self.resource["spec"]
        if spec.get("suspend") or spec.get("replicas") == 0 or self.pods(names.MIGRATE) or self.pods(names.RESTORE):
            return
        if self.database.revision == HEADS[spec.get("image", "server:1")]:
            self._violate("what serves is stopped without need")

    def _violate(self, what: str) -> None:
        message = f"{self.now:%H:%M:%S} {what}"
        raise AssertionError(message)

    def _has_ended(self, pod: Manifest) -> bool:
        """It was deleted, and its time of grace is over; one that does not run needs none."""
        deleted = pod["metadata"].get("deletionTimestamp")
        if deleted is None:
            return False
        grace = self.grace_seconds if _phase(pod) == "Running" else 0
        return self.now >= datetime.fromisoformat(deleted) + timedelta(seconds=grace)

    def _control_deployment(self, deployment: Manifest) -> None:
        template = deployment["spec"]["template"]
        revision = names.job_hash(template=template)
        mine = [pod for pod in self.pods(names.SERVER) if _owner(pod) == deployment["metadata"]["uid"]]
        current = [pod for pod in mine if pod["metadata"]["annotations"]["revision"] == revision]
        old = [pod for pod in mine if pod not in current]
        wanted = deployment["spec"]["replicas"]
        for pod in mine:
            if _phase(pod) == "Failed":
                self.cluster.remove(ref_of(pod))
        current = [pod for pod in current if _phase(pod) != "Failed" and "deletionTimestamp" not in pod["metadata"]]
        recreates = deployment["spec"]["strategy"]["type"] == "Recreate"
        if recreates or wanted == 0 or (len(current) >= wanted and all(_is_ready(pod) for pod in current)):
            for pod in old:
                asyncio.run(self.cluster.delete(ref_of(pod)))
        for pod in current[wanted:]:
            asyncio.run(self.cluster.delete(ref_of(pod)))
        if not (recreates and old):
            for _ in range(wanted - len(current)):
                self._make_pod(deployment, template, {"revision": revision})

    def _report_deployment(self, deployment: Manifest) -> None:
        metadata, spec = deployment["metadata"], deployment["spec"]
        revision = names.job_hash(template=spec["template"])
        mine = [pod for pod in self.pods(names.SERVER) if _owner(pod) == metadata["uid"]]
        ready = [pod for pod in mine if _is_ready(pod)]
        is_available = len(ready) >= spec["replicas"]
        old: list[Manifest] = deployment.get("status", {}).get("conditions") or []
        before = next((one for one in old if one["type"] == "Available"), None)
        available: Manifest = {
            "type": "Available",
            "status": str(is_available),
            "lastTransitionTime": _timestamp(self.now),
        }
        if before is not None and before["status"] == available["status"]:
            available = before
        status = {
            "observedGeneration": metadata["generation"],
            "replicas": len(mine),
            "updatedReplicas": sum(pod["metadata"]["annotations"]["revision"] == revision for pod in mine),
            "readyReplicas": len(ready),
            "conditions": [available],
        }
        if deployment.get("status") != status:
            self.cluster.set_status(ref_of(deployment), status)

    def _control_job(self, job: Manifest) -> None:
        status: Manifest = job.get("status", {})
        if status.get("conditions"):
            return
        mine = [pod for pod in self.cluster.objects(POD, NAMESPACE) if _owner(pod) == job["metadata"]["uid"]]
        if job["spec"].get("suspend"):
            for pod in mine:
                asyncio.run(self.cluster.delete(ref_of(pod)))
            return
        if any(_phase(pod) == "Succeeded" for pod in mine):
            self._end_job(job, "Complete")
        elif any(_exit_code(pod) in TERMINAL_EXIT_CODES for pod in mine) or _failures(mine) > RETRIES:
            self._end_job(job, "Failed")
        elif not any(_phase(pod) in ("Pending", "Running") for pod in mine):
            self._make_pod(job, job["spec"]["template"], {})

    def _end_job(self, job: Manifest, kind: str) -> None:
        moment = _timestamp(self.now)
        status: Manifest = {"conditions": [{"type": kind, "status": "True", "lastTransitionTime": moment}]}
        if kind == "Complete":
            status["completionTime"] = moment
        self.cluster.set_status(ref_of(job), status)

    def _make_pod(self, owner: Manifest, template: Manifest, annotations: Mapping[str, str]) -> None:
        self._made += 1
        metadata: Manifest = {
            "name": f"{owner['metadata']['name']}-{self._made}",
            "namespace": NAMESPACE,
            "labels": template["metadata"]["labels"],
            "annotations": dict(annotations),
            "ownerReferences": [
                {
                    "apiVersion": owner["apiVersion"],
                    "kind": owner["kind"],
                    "name": owner["metadata"]["name"],
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                }
            ],
        }
        if owner["kind"] == JOB.kind:
            metadata["finalizers"] = ["batch.kubernetes.io/job-tracking"]  # it stays until the Job has counted it
        spec = {**template["spec"], "nodeName": "node-1"}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": "Pending"}}
        self.cluster.put(pod)

    def _run_pod(self, pod: Manifest) -> None:
        if "deletionTimestamp" in pod["metadata"] or _phase(pod) in ("Succeeded", "Failed"):
            return
        component = pod["metadata"]["labels"][names.COMPONENT_LABEL]
        if component == names.SERVER:
            self._run_server(pod)
        elif _phase(pod) == "Pending":
            self._start(pod, component)
        else:
            self._finish(pod, component, self.endings.get(component, "succeed"))

    def _start(self, pod: Manifest, component: str) -> None:
        if not self._can_start(pod):
            return
        if component == names.MIGRATE:
            self._check_backup()
        if component == names.RESTORE:
            self._check_restore(pod)
        self._set_running(pod, is_ready=False)

    def _run_server(self, pod: Manifest) -> None:
        knows = HEADS[_image(pod)] == self.database.revision
        if _phase(pod) == "Pending":
            if self._can_start(pod):
                self._set_running(pod, is_ready=knows and self.database.is_reachable)
        elif _is_ready(pod):
            self.database.rows += 1
            if not self.database.is_reachable:
                self._set_running(pod, is_ready=False)
        elif knows and self.database.is_reachable:
            self._set_running(pod, is_ready=True)

    def _can_start(self, pod: Manifest) -> bool:
        if _image(pod) in self.unpullable:
            self._set_waiting(pod, "ImagePullBackOff", f"Back-off pulling image {_image(pod)}")
            return False
        env = pod["spec"]["containers"][0]["env"]
        if not self.has_key and any("valueFrom" in one for one in env):
            self._set_waiting(pod, "CreateContainerConfigError", "couldn't find key uri in Secret ml/database")
            return False
        return True

    def _finish(self, pod: Manifest, component: str, ending: Ending) -> None:
        """A pod of a Job has run for a second."""
        if ending == "slow":
            return
        if ending == "killed":
            self._set_terminated(pod, 137, "")
        elif ending == "mute":
            self._set_terminated(pod, 0, "")
        elif component == names.STORE_CHECK and self.store_fault:
            self._fail(pod, 18, self.store_fault, "the bucket does not let us")
        elif ending == "unreachable" or not self.database.is_reachable:
            self._fail(pod, 11, "DatabaseUnreachable", "the database does not answer")
        elif ending == "busy":
            self._fail(pod, 12, "LockBusy", "another process holds the lock")
        elif ending == "succeed":
            self._set_terminated(pod, 0, json.dumps({"ok": True, **self._work(pod, component)}))
        else:
            if ending == "halfway" and component == names.MIGRATE:
                self.database.revision = BROKEN
            code = {names.MIGRATE: 14, names.BACKUP: 15, names.VERIFY: 15, names.RESTORE: 16}.get(component, 10)
            reasons = {10: "ConfigInvalid", 14: "MigrationFailed", 15: "BackupFailed", 16: "RestoreFailed"}
            self._fail(pod, code, reasons[code], "it did not work")

    def _work(self, pod: Manifest, component: str) -> Mapping[str, Any]:
        """What a Job does to the database, and what it reports."""
        database, head = self.database, HEADS.get(_image(pod), 0)
        match component:
            case names.CHECK:
                revisions = {"current": _text(database.revision), "head": _text(head)}
                return {
                    "dialect": "sqlite",
                    "state": _state(database, head),
                    "mlflow": revisions,
                    "trackplane": {},
                    "additive": True,
                }
            case names.BACKUP:
                path = f"/var/lib/trackplane/backups/{len(self.archives) + 1}.zst"
                self.archives[path] = Archive(revision=database.revision, rows=database.rows)
                return {"path": path, "mlflow": _text(database.revision), "rows": database.rows}
            case names.VERIFY:
                self.verified.add(_argument(pod, 3))
                return {"verified": True}
            case names.MIGRATE:
                database.revision = head
                self.migrations += 1
                return {}
            case names.RESTORE:
                archive = self.archives[_argument(pod, 2)]
                database.revision, database.rows = archive.revision, archive.rows
                return {"rows": archive.rows}
            case _:
                return {}

    def _check_backup(self) -> None:
        if not self.needs_backup or self.database.revision is None:
            return
        kept = [self.archives[path] for path in self.verified if path in self.archives]
        wanted = Archive(revision=self.database.revision, rows=self.database.rows)
        if wanted not in kept and self.database.revision != BROKEN:
            self._violate("the schema is migrated without a verified backup of every row")

    def _check_restore(self, pod: Manifest) -> None:
        if self.archives[_argument(pod, 2)].rows != self.database.rows:
            self._violate("a restore takes rows back that were acknowledged")

    def _fail(self, pod: Manifest, code: int, reason: str, message: str) -> None:
        self._set_terminated(pod, code, json.dumps({"ok": False, "reason": reason, "message": message}))

    def _set_waiting(self, pod: Manifest, reason: str, message: str) -> None:
        state = {"waiting": {"reason": reason, "message": message}}
        self._set(pod, "Pending", state, is_ready=False)

    def _set_running(self, pod: Manifest, *, is_ready: bool) -> None:
        self._set(pod, "Running", {"running": {"startedAt": "2026-01-02T03:04:05Z"}}, is_ready=is_ready)

    def _set_terminated(self, pod: Manifest, code: int, message: str) -> None:
        state = {"terminated": {"exitCode": code, "message": message}}
        self._set(pod, "Failed" if code else "Succeeded", state, is_ready=False)

    def _set(self, pod: Manifest, phase: str, state: Mapping[str, Any], *, is_ready: bool) -> None:
        name = pod["spec"]["containers"][0]["name"]
        status = {
            "phase": phase,
            "conditions": [{"type": "Ready", "status": str(is_ready)}],
            "containerStatuses": [{"name": name, "ready": is_ready, "restartCount": 0, "state": dict(state)}],
        }
        if self.cluster.find(ref_of(pod)) is not None and pod.get("status") != status:
            self.cluster.set_status(ref_of(pod), status)


def _state(database: Database, head: int) -> str:
    if database.is_foreign:
        return "Foreign"
    if database.revision is None:
        return "Empty"
    if database.revision == head:
        return "Current"
    return "Outdated" if database.revision < head else "Newer"


def _text(revision: int | None) -> str | None:
    return None if revision is None else f"r{revision}"


def _argument(pod: Manifest, index: int) -> str:
    return str(pod["spec"]["containers"][0]["command"][index])


def _image(pod: Manifest) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _phase(pod: Manifest) -> str:
    return str(pod["status"]["phase"])


def _exit_code(pod: Manifest) -> int | None:
    statuses: list[Manifest] = pod["status"].get("containerStatuses") or [{"state": {}}]
    code: int | None = statuses[0]["state"].get("terminated", {}).get("exitCode")
    return code


def _failures(pods: Iterable[Manifest]) -> int:
    return sum(_phase(pod) == "Failed" for pod in pods)


def _is_ready(pod: Manifest) -> bool:
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())
    return ready and "deletionTimestamp" not in pod["metadata"]


def _owner(pod: Manifest) -> str:
    return str(pod["metadata"]["ownerReferences"][0]["uid"])


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
