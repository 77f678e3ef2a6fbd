"""What every step of a decision looks at: the wish, the snapshot, the time, and the names that follow from the wish.

Progress is stored nowhere. A Job is found again by its name, which says what it does, and by the annotations that say
for what it was made:

- *target*: the image on the database. A Deployment carries the target that its schema was found current for.
- *attempt*: the image and the value of the retry annotation. One attempt migrates once; a failed one is not repeated.
- *plan*: the target, the retry, and what the steps do and run with. An edit of any of these makes a new plan.
- *window*: one stretch of time without a server. Hooks and backups count in the window that they ran in, no longer:
  once a server has run again, what they did is out of date.

The facts that go into these hashes are kept: another fact makes other hashes, and an operator that is upgraded in the
middle of an upgrade would not find its Jobs again.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, assert_never

from tracking_operator.decisions.observed import Deployment, Job, Observed
from tracking_operator.desired.places import CLUSTER, Places
from tracking_operator.desired.volume_claim import DATABASE, pod_volumes
from tracking_operator.resource import names
from tracking_operator.resource.spec import Artifacts, Database, ExternalDatabase, Sqlite, TrackingServer, VolumeStore


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconcileSettings:
    server_image: str
    """Of a TrackingServer that names none."""
    places: Places = CLUSTER


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    server: TrackingServer
    observed: Observed
    now: datetime
    places: Places
    image: str
    references: str
    """Stands for the versions of the Secrets that the pods of the server read; empty when they read none."""
    target: str
    attempt: str
    plan: str
    window: str

    @property
    def deployment(self) -> Deployment | None:
        return self.observed.deployment

    @property
    def is_serving(self) -> bool:
        """A Deployment is asked to run pods, whatever their version."""
        return self.deployment is not None and self.deployment.replicas > 0

    @property
    def serves_target(self) -> bool:
        """The Deployment is the one that is wanted: its schema was found current for this image."""
        return self.deployment is not None and self.deployment.target == self.target

    def jobs_of_plan(self, *components: str) -> tuple[Job, ...]:
        return tuple(job for job in self.observed.jobs_of(*components) if job.plan == self.plan)


def situation_of(server: TrackingServer, observed: Observed, now: datetime, settings: ReconcileSettings) -> Situation:
    spec = server.spec
    image = spec.image or settings.server_image
    versions = _versions(server, observed.secret_versions)
    retry = server.metadata.annotations.get(names.RETRY_ANNOTATION, "")
    target = names.job_hash(
        uid=server.metadata.uid,
        image=image,
        database=_identity(server, spec.database),
        versions=versions,
        **_identity_of_store(spec.artifacts),
    )
    plan = names.job_hash(
        target=target,
        retry=retry,
        hooks=[asdict(hook) for hook in spec.upgrade.hooks.pre_migration],
        backup=asdict(spec.upgrade.backup),
        template=asdict(spec.template),
        pull=[spec.image_pull_policy, *spec.image_pull_secrets],
    )
    deployment = observed.deployment
    return Situation(
        server=server,
        observed=observed,
        now=now,
        places=settings.places,
        image=image,
        references=names.job_hash(versions=versions) if versions else "",
        target=target,
        attempt=names.job_hash(
            uid=server.metadata.uid, image=image, database=_identity(server, spec.database), retry=retry
        ),
        plan=plan,
        window=names.job_hash(deployment=None if deployment is None else [deployment.uid, deployment.generation]),
    )


def _identity(server: TrackingServer, database: Database) -> Mapping[str, Any]:
    """Which database it is, as far as the spec says."""
    match database:
        case Sqlite():
            return {"sqlite": [volume.claim for volume in pod_volumes(server) if volume.name == DATABASE]}
        case ExternalDatabase(uri_secret_ref=reference):
            return {"secret": reference.name, "key": reference.key}
        case _ as never:
            assert_never(never)


def _identity_of_store(artifacts: Artifacts) -> Mapping[str, Any]:
    """Which store it is, and who the server is there: another one is tried before pods are started with it.

    A volume has no part in the hash, and so keeps the one that it had before there were other stores.
    """
    if isinstance(artifacts.store, VolumeStore):
        return {}
    return {"artifacts": asdict(artifacts)}


def _versions(server: TrackingServer, secret_versions: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Of the Secrets that the server reads: another version may mean another database, or another store."""
    secrets = (reference.secret_key.name for reference in server.references_of_server)
    return {name: secret_versions.get(name) for name in secrets}
