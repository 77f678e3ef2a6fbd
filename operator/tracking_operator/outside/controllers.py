"""What the controllers of a cluster would do about a Deployment, a Job and a CronJob, for one node and one pod of each.

Pure: each looks at its object and the objects it made, and answers which to make, which to delete, and what to report.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tracking_operator.resource import names
from tracking_operator.resource.kinds import CRON_JOB, DEPLOYMENT, JOB, POD, Kind, Manifest, Ref, ref_of
from tracking_operator.resource.schedule import parse_schedule

NODE: Final = "local"
REVISION_LABEL: Final = "pod-template-hash"
FIRST_RETRY: Final = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    create: tuple[Manifest, ...] = ()
    delete: tuple[Ref, ...] = ()
    status: Manifest | None = None
    """None: as it was."""
    wait_until: datetime | None = None
    """When there is something to do though nothing has changed."""


def run_deployment(deployment: Manifest, pods: Sequence[Manifest], now: datetime) -> Answer:
    """At most one pod, whatever the number of replicas; the old one ends before the new one begins."""
    spec, revision = deployment["spec"], _revision(deployment)
    current = [pod for pod in pods if pod["metadata"]["labels"].get(REVISION_LABEL) == revision]
    doomed = pods if spec["replicas"] == 0 else [pod for pod in pods if pod not in current]
    create: tuple[Manifest, ...] = ()
    if spec["replicas"] > 0 and not pods:
        name = f"{deployment['metadata']['name']}-{revision}"
        create = (_pod(DEPLOYMENT, deployment, spec["template"], name, {REVISION_LABEL: revision}),)
    return Answer(
        create=create,
        delete=tuple(ref_of(pod) for pod in doomed if not _is_deleted(pod)),
        status=_deployment_status(deployment, pods, current, now),
    )


def run_job(job: Manifest, pods: Sequence[Manifest], now: datetime) -> Answer:
    """One pod after the other until one succeeds, an exit code is terminal, or there were too many."""
    if is_finished(job):
        return Answer()
    spec, status = job["spec"], job.get("status", {})
    living = [pod for pod in pods if _phase(pod) not in ("Succeeded", "Failed")]
    failed = [pod for pod in pods if _phase(pod) == "Failed" and not _is_deleted(pod)]
    report = {"startTime": status.get("startTime", _timestamp(now)), "active": len(living), "failed": len(failed)}
    if end := _end_of_job(spec, pods, failed, now):
        return Answer(status={**report, **end})
    if spec.get("suspend"):
        return Answer(delete=tuple(ref_of(pod) for pod in living if not _is_deleted(pod)), status=report)
    retry_at = _retry_at(failed, now)
    if living or retry_at > now:
        return Answer(status=report, wait_until=None if living else retry_at)
    name = f"{job['metadata']['name']}-{len(pods)}"
    return Answer(create=(_pod(JOB, job, spec["template"], name, {}),), status={**report, "active": 1})


def run_cron_job(cron_job: Manifest, jobs: Sequence[Manifest], since: datetime, now: datetime) -> Answer:
    """`since` is when the schedule was last looked at. While a Job of it runs, the next one is left out."""
    spec = cron_job["spec"]
    finished = [job for job in jobs if is_finished(job)]
    doomed = _beyond(finished, "Complete", spec["successfulJobsHistoryLimit"])
    doomed += _beyond(finished, "Failed", spec["failedJobsHistoryLimit"])
    if spec["suspend"]:
        return Answer(delete=doomed)
    zone = ZoneInfo(spec["timeZone"])
    due = parse_schedule(spec["schedule"]).next_after(since.astimezone(zone))
    if due is None or due > now:
        return Answer(delete=doomed, wait_until=due)
    if len(finished) < len(jobs):
        return Answer(delete=doomed, wait_until=now)
    name = f"{cron_job['metadata']['name']}-{int(due.timestamp()) // 60}"
    template = spec["jobTemplate"]
    job = {
        "apiVersion": JOB.api_version,
        "kind": JOB.kind,
        "metadata": _metadata(CRON_JOB, cron_job, template, name, {}),
        "spec": template["spec"],
    }
    return Answer(create=(job,), delete=doomed, status={"lastScheduleTime": _timestamp(due)}, wait_until=now)


def made_by(owner: Manifest, objects: Iterable[Manifest]) -> list[Manifest]:
    """In the order of their making."""
    uid = owner["metadata"]["uid"]
    found = [one for one in objects if uid in (ref["uid"] for ref in one["metadata"].get("ownerReferences", ()))]
    return sorted(found, key=lambda one: (one["metadata"]["creationTimestamp"], one["metadata"]["name"]))


def is_made_by(kind: Kind, manifest: Manifest) -> bool:
    return any(owner["kind"] == kind.kind for owner in manifest["metadata"].get("ownerReferences", ()))


def is_finished(job: Manifest) -> bool:
    return bool(job.get("status", {}).get("conditions"))


def _deployment_status(
    deployment: Manifest, pods: Sequence[Manifest], current: Sequence[Manifest], now: datetime
) -> Manifest:
    ready = sum(_is_ready(pod) for pod in pods)
    is_available = ready >= min(deployment["spec"]["replicas"], 1)
    before = deployment.get("status", {}).get("conditions", ())
    reason = "MinimumReplicasAvailable" if is_available else "MinimumReplicasUnavailable"
    available = _condition("Available", reason, "", now, is_true=is_available)
    unchanged = [one for one in before if one["type"] == "Available" and one["status"] == available["status"]]
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": len(pods),
        "updatedReplicas": len(current),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "conditions": unchanged or [available],
    }


def _end_of_job(
    spec: Mapping[str, Any], pods: Sequence[Manifest], failed: Sequence[Manifest], now: datetime
) -> Manifest | None:
    if any(_phase(pod) == "Succeeded" for pod in pods):
        complete = _condition("Complete", "CompletionsReached", "a pod succeeded", now)
        return {"succeeded": 1, "completionTime": _timestamp(now), "conditions": [complete]}
    if any(_ended(pod)["exitCode"] in _terminal_exit_codes(spec) for pod in failed):
        return {"conditions": [_condition("Failed", "PodFailurePolicy", "the exit code of a pod is terminal", now)]}
    if len(failed) > spec["backoffLimit"]:
        return {"conditions": [_condition("Failed", "BackoffLimitExceeded", "too many pods failed", now)]}
    return None


def _terminal_exit_codes(spec: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(
        code
        for rule in spec.get("podFailurePolicy", {}).get("rules", ())
        if rule["action"] == "FailJob"
        for code in rule["onExitCodes"]["values"]
    )


def _retry_at(failed: Sequence[Manifest], now: datetime) -> datetime:
    """The wait doubles with each pod that failed."""
    if not failed:
        return now
    ended_at = datetime.fromisoformat(_ended(failed[-1])["finishedAt"])
    return ended_at + FIRST_RETRY * float(2 ** (len(failed) - 1))


def _beyond(finished: Sequence[Manifest], condition: str, limit: int) -> tuple[Ref, ...]:
    """The oldest Jobs with this end that the history has no room for."""
    ended = [job for job in finished if job["status"]["conditions"][0]["type"] == condition]
    return tuple(ref_of(job) for job in ended[: max(len(ended) - limit, 0)])


def _pod(kind: Kind, owner: Manifest, template: Manifest, name: str, labels: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": POD.api_version,
        "kind": POD.kind,
        "metadata": _metadata(kind, owner, template, name, labels),
        "spec": {**template["spec"], "nodeName": NODE},
        "status": {"phase": "Pending"},
    }


def _metadata(kind: Kind, owner: Manifest, template: Manifest, name: str, labels: Mapping[str, str]) -> Manifest:
    given = template.get("metadata", {})
    reference = {"apiVersion": kind.api_version, "kind": kind.kind, "controller": True}
    return {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": {**given.get("labels", {}), **labels},
        "annotations": dict(given.get("annotations", {})),
        "ownerReferences": [{**reference, "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}],
    }


def _revision(deployment: Manifest) -> str:
    return names.job_hash(template=deployment["spec"]["template"])


def _condition(name: str, reason: str, message: str, now: datetime, *, is_true: bool = True) -> Manifest:
    status = "True" if is_true else "False"
    return {
        "type": name,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": _timestamp(now),
    }


def _is_ready(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _is_deleted(manifest: Manifest) -> bool:
    return "deletionTimestamp" in manifest["metadata"]


def _phase(pod: Manifest) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def _ended(pod: Manifest) -> Manifest:
    ended: Manifest = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return ended


def _timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
