"""The snapshot that a decision sees: what there is in the cluster for one TrackingServer, read into plain types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from tracking_operator.decisions.ownership import Ownership
from tracking_operator.decisions.reports import LONGEST_MESSAGE, JobReport, parse_report
from tracking_operator.resource import names
from tracking_operator.resource.kinds import Manifest, Ref, ref_of

JobState: TypeAlias = Literal["Running", "Succeeded", "Failed", "Stopped"]

IMAGE_PROBLEMS: Final = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
)
CONFIG_PROBLEMS: Final = frozenset({"CreateContainerConfigError"})
START_PROBLEMS: Final = frozenset({"CreateContainerError", "RunContainerError", "CrashLoopBackOff"})
UNSCHEDULABLE: Final = "Unschedulable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Why a pod does not run: the kubelet's or the scheduler's own reason and words."""

    reason: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pod:
    name: str
    component: str
    owner_uid: str
    """Of the Job, or of the ReplicaSet."""
    node: str
    phase: str
    is_ready: bool
    is_deleting: bool
    has_started: bool
    """A container of it has run, or runs."""
    created_at: datetime
    problem: Problem | None
    exit_code: int | None
    report: JobReport | None

    @property
    def is_living(self) -> bool:
        """Something of it may still run."""
        return self.phase not in ("Succeeded", "Failed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A Job of this TrackingServer, with its pods in the order of their making."""

    ref: Ref
    uid: str
    component: str
    plan: str
    window: str
    attempt: str
    target: str
    archive: str
    node: str
    stopped: str
    created_at: datetime
    finished_at: datetime | None
    state: JobState
    failure: str
    """Kubernetes' own words for a failed Job."""
    pods: tuple[Pod, ...]

    @property
    def is_finished(self) -> bool:
        return self.state in ("Succeeded", "Failed")

    @property
    def has_started(self) -> bool:
        return self.is_finished or any(pod.has_started for pod in self.pods)

    @property
    def has_living_pods(self) -> bool:
        return any(pod.is_living for pod in self.pods)

    @property
    def report(self) -> JobReport | None:
        """The newest one; a succeeded Job has that of its last pod."""
        return next((pod.report for pod in reversed(self.pods) if pod.report is not None), None)

    @property
    def problem(self) -> Problem | None:
        return next((pod.problem for pod in reversed(self.pods) if pod.is_living and pod.problem is not None), None)

    @property
    def exit_codes(self) -> frozenset[int | None]:
        return frozenset(pod.exit_code for pod in self.pods)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    ref: Ref
    uid: str
    generation: int
    image: str
    target: str
    replicas: int
    """What is asked of it now."""
    pods_total: int
    pods_updated: int
    pods_ready: int
    is_observed: bool
    """Its controller has seen the newest change."""
    unavailable_since: datetime | None
    has_exceeded_deadline: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    deployment: Deployment | None
    pods: tuple[Pod, ...]
    """Of the server and of its Jobs, ordered by the time they were made."""
    jobs: tuple[Job, ...]
    """All of them, gc's too, ordered by the time they were made."""
    secret_versions: Mapping[str, str | None]
    """By the name of each Secret that the spec refers to; None when there is none."""
    children: Mapping[Ref, Manifest | None]
    """The standing children as they are: those that are wanted, and those that may have to go."""
    taken: tuple[Ref, ...]
    leaving: tuple[Ref, ...]
    """Both as in `Ownership`: they are not among the children, nor among the pods."""
    status: Mapping[str, Any]
    """What the last pass reported."""

    @property
    def server_pods(self) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.pods if pod.component == names.SERVER and pod.is_living)

    def jobs_of(self, *components: str) -> tuple[Job, ...]:
        return tuple(job for job in self.jobs if job.component in components)


def observe(
    *,
    deployment: Manifest | None,
    ownership: Ownership,
    jobs: Iterable[Manifest],
    secret_versions: Mapping[str, str | None],
    status: Mapping[str, Any],
) -> Observed:
    """The snapshot, out of what the API server answered."""
    all_pods = tuple(sorted((_pod(one) for one in ownership.pods), key=lambda pod: (pod.created_at, pod.name)))
    all_jobs = (_job(one, tuple(pod for pod in all_pods if pod.owner_uid == one["metadata"]["uid"])) for one in jobs)
    return Observed(
        deployment=None if deployment is None else _deployment(deployment),
        pods=all_pods,
        jobs=tuple(sorted(all_jobs, key=lambda job: (job.created_at, job.ref.name))),
        secret_versions=secret_versions,
        children=ownership.children,
        taken=ownership.taken,
        leaving=ownership.leaving,
        status=status,
    )


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _deployment(manifest: Manifest) -> Deployment:
    metadata, spec, status = manifest["metadata"], manifest["spec"], manifest.get("status", {})
    available = _condition(status, "Available")
    progressing = _condition(status, "Progressing")
    containers = spec["template"]["spec"]["containers"]
    return Deployment(
        ref=ref_of(manifest),
        uid=metadata["uid"],
        generation=metadata["generation"],
        image=next((one["image"] for one in containers if one["name"] == names.SERVER_CONTAINER), ""),
        target=_annotation(manifest, names.TARGET_ANNOTATION),
        replicas=spec.get("replicas", 1),
        pods_total=status.get("replicas", 0),
        pods_updated=status.get("updatedReplicas", 0),
        pods_ready=status.get("readyReplicas", 0),
        is_observed=status.get("observedGeneration", 0) >= metadata["generation"],
        unavailable_since=parse_time(available["lastTransitionTime"]) if available.get("status") == "False" else None,
        has_exceeded_deadline=progressing.get("reason") == "ProgressDeadlineExceeded",
    )


def _job(manifest: Manifest, pods: tuple[Pod, ...]) -> Job:
    metadata, status = manifest["metadata"], manifest.get("status", {})
    complete, failed = _condition(status, "Complete"), _condition(status, "Failed")
    stopped = _annotation(manifest, names.STOPPED_ANNOTATION)
    state: JobState = "Stopped" if stopped else "Running"
    finished_at: str | None = None
    if complete.get("status") == "True":
        state, finished_at = "Succeeded", status.get("completionTime") or complete.get("lastTransitionTime")
    elif failed.get("status") == "True":
        state, finished_at = "Failed", failed.get("lastTransitionTime")
    return Job(
        ref=ref_of(manifest),
        uid=metadata["uid"],
        component=_component(manifest),
        plan=_annotation(manifest, names.PLAN_ANNOTATION),
        window=_annotation(manifest, names.WINDOW_ANNOTATION),
        attempt=_annotation(manifest, names.ATTEMPT_ANNOTATION),
        target=_annotation(manifest, names.TARGET_ANNOTATION),
        archive=_annotation(manifest, names.ARCHIVE_ANNOTATION),
        node=_annotation(manifest, names.NODE_ANNOTATION),
        stopped=stopped,
        created_at=parse_time(metadata["creationTimestamp"]),
        finished_at=None if finished_at is None else parse_time(finished_at),
        state=state,
        failure=_words(failed.get("reason"), failed.get("message")),
        pods=pods,
    )


def _pod(manifest: Manifest) -> Pod:
    metadata, status = manifest["metadata"], manifest.get("status", {})
    container = _container(status)
    state: Mapping[str, Any] = container.get("state") or {}
    terminated: Mapping[str, Any] | None = state.get("terminated")
    owners = metadata.get("ownerReferences") or ()
    return Pod(
        name=metadata["name"],
        component=_component(manifest),
        owner_uid=next((owner["uid"] for owner in owners if owner.get("controller")), ""),
        node=manifest.get("spec", {}).get("nodeName", ""),
        phase=status.get("phase", "Pending"),
        is_ready=_condition(status, "Ready").get("status") == "True",
        is_deleting="deletionTimestamp" in metadata,
        has_started=_has_started(status, container),
        created_at=parse_time(metadata["creationTimestamp"]),
        problem=_problem(status, state.get("waiting")),
        exit_code=None if terminated is None else terminated.get("exitCode"),
        report=None if terminated is None else parse_report(terminated.get("message") or ""),
    )


def _container(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """The status of the container that we asked for: others may have been put beside it."""
    statuses: Iterable[Mapping[str, Any]] = status.get("containerStatuses") or ()
    ours = (names.SERVER_CONTAINER, names.JOB_CONTAINER)
    return next((one for one in statuses if one["name"] in ours), dict[str, Any]())


def _has_started(status: Mapping[str, Any], container: Mapping[str, Any]) -> bool:
    if status.get("phase") in ("Running", "Succeeded", "Failed"):
        return True
    return bool(container.get("restartCount")) or not (container.get("state") or {}).keys() <= {"waiting"}


def _problem(status: Mapping[str, Any], waiting: Mapping[str, Any] | None) -> Problem | None:
    reason = (waiting or {}).get("reason", "")
    if waiting and reason in IMAGE_PROBLEMS | CONFIG_PROBLEMS | START_PROBLEMS:
        return Problem(reason=reason, message=str(waiting.get("message") or reason)[:LONGEST_MESSAGE])
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == UNSCHEDULABLE:
        return Problem(reason=UNSCHEDULABLE, message=str(scheduled.get("message") or "")[:LONGEST_MESSAGE])
    return None


def _condition(status: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    conditions: Iterable[Mapping[str, Any]] = status.get("conditions") or ()
    return next((one for one in conditions if one["type"] == name), dict[str, Any]())


def _component(manifest: Manifest) -> str:
    labels: Mapping[str, str] = manifest["metadata"].get("labels") or {}
    return labels.get(names.COMPONENT_LABEL, "")


def _annotation(manifest: Manifest, name: str) -> str:
    annotations: Mapping[str, str] = manifest["metadata"].get("annotations") or {}
    return annotations.get(name, "")


def _words(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)[:LONGEST_MESSAGE]
