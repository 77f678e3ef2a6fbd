"""Check store: a Job with the wanted image tries the artifact store, before pods are started that depend on it.

What serves goes on serving meanwhile: credentials that do not work never replace those that do.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tracking_operator.decisions.observed import Job, Problem
from tracking_operator.decisions.situation import Situation
from tracking_operator.decisions.steps.job_step import (
    NOT_OURS_EXIT_CODES,
    JobOfStep,
    hindrance,
    not_a_server,
    take_job,
    with_retry,
)
from tracking_operator.decisions.steps.progress import Failed, Progress, Skipped, Working
from tracking_operator.desired.store_check_job import store_check_job
from tracking_operator.resource import names
from tracking_operator.resource.conditions import Reason
from tracking_operator.resource.spec import VolumeStore

FIELD: Final = "spec.artifacts.store"

_REASONS: Final[Mapping[str, Reason]] = {
    str(reason): reason
    for reason in (
        Reason.ARTIFACT_STORE_UNREACHABLE,
        Reason.ACCESS_DENIED,
        Reason.NO_SUCH_BUCKET,
        Reason.WRONG_REGION,
        Reason.STORE_MISCONFIGURED,
        Reason.TLS_FAILED,
        Reason.SKEWED_CLOCK,
        Reason.CONFIG_INVALID,
    )
}
_REMEDIES: Final[Mapping[Reason, str]] = {
    Reason.ARTIFACT_STORE_UNREACHABLE: f"Look at the store, and at what {FIELD} names; it is tried again by itself",
    Reason.ACCESS_DENIED: f"Correct the credentials that {FIELD} names, or what they are allowed to do",
    Reason.NO_SUCH_BUCKET: f"Make the bucket, or correct {FIELD}",
    Reason.WRONG_REGION: f"Name the region of the bucket in {FIELD}",
    Reason.STORE_MISCONFIGURED: f"Correct what {FIELD} says about the store",
    Reason.TLS_FAILED: f"Name the authority's certificate in caSecretRef of {FIELD}",
    Reason.SKEWED_CLOCK: "Set the clocks of the nodes",
    Reason.CONFIG_INVALID: f"Correct {FIELD}",
}


def check_store(situation: Situation) -> Progress:
    """There is nothing to try about a volume."""
    if isinstance(situation.server.spec.artifacts.store, VolumeStore):
        return Skipped()
    progress = take_job(situation, _step(situation))
    match progress:
        case Failed(job=Job() as job):
            return failure(situation, progress, job)
        case Working(job=Job(problem=Problem() as problem) as job, actions=()):
            return hindrance(situation, progress, job, problem, FIELD)
        case _:
            return progress


def failure(situation: Situation, failed: Failed, job: Job) -> Failed:
    """Whatever it is, it may be mended where we see nothing of it: it is tried again, ever more rarely."""
    if job.report is None and job.exit_codes & NOT_OURS_EXIT_CODES:
        return not_a_server(situation, failed, job)
    reason = Reason.STORE_CHECK_FAILED if job.report is None else _REASONS.get(job.report.reason, failed.reason)
    remedy = _REMEDIES.get(reason)
    message = f"{failed.message}. {remedy}" if remedy else failed.message
    heals = reason == Reason.ARTIFACT_STORE_UNREACHABLE
    return with_retry(situation, replace(failed, reason=reason, message=message, needs_person=not heals), job)


def _step(situation: Situation) -> JobOfStep:
    job_hash = names.job_hash(plan=situation.plan, step=names.STORE_CHECK)
    return JobOfStep(
        component=names.STORE_CHECK,
        name=names.store_check_job(situation.server.metadata.name, job_hash),
        build=lambda _: store_check_job(
            situation.server, image=situation.image, job_hash=job_hash, places=situation.places
        ),
        running=Reason.CHECKING_STORE,
        failed=Reason.STORE_CHECK_FAILED,
        doing="tries the artifact store",
    )
