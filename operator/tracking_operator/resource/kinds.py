"""Every Kubernetes kind that the operator reads or writes, and how one object of a kind is named.

Which of these an operator may touch is decided by its Role; how they are reached by `cluster/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Manifest: TypeAlias = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group, empty for the core group."""
        return self.api_version.rpartition("/")[0]

    @property
    def version(self) -> str:
        return self.api_version.rpartition("/")[2]

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Ref:
    """One object. `namespace` is empty for kinds that have none."""

    kind: Kind
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind.kind} {self.name}"


TRACKING_SERVER: Final = Kind(api_version="trackplane.io/v1alpha1", kind="TrackingServer", plural="trackingservers")
DEPLOYMENT: Final = Kind(api_version="apps/v1", kind="Deployment", plural="deployments")
SERVICE: Final = Kind(api_version="v1", kind="Service", plural="services")
SERVICE_ACCOUNT: Final = Kind(api_version="v1", kind="ServiceAccount", plural="serviceaccounts")
VOLUME_CLAIM: Final = Kind(api_version="v1", kind="PersistentVolumeClaim", plural="persistentvolumeclaims")
CRON_JOB: Final = Kind(api_version="batch/v1", kind="CronJob", plural="cronjobs")
JOB: Final = Kind(api_version="batch/v1", kind="Job", plural="jobs")
POD: Final = Kind(api_version="v1", kind="Pod", plural="pods")
SECRET: Final = Kind(api_version="v1", kind="Secret", plural="secrets")
CONFIG_MAP: Final = Kind(api_version="v1", kind="ConfigMap", plural="configmaps")
LEASE: Final = Kind(api_version="coordination.k8s.io/v1", kind="Lease", plural="leases")
EVENT: Final = Kind(api_version="events.k8s.io/v1", kind="Event", plural="events")

ALL: Final = (
    TRACKING_SERVER, DEPLOYMENT, SERVICE, SERVICE_ACCOUNT, VOLUME_CLAIM, CRON_JOB,
    JOB, POD, SECRET, CONFIG_MAP, LEASE, EVENT,
)  # fmt: skip
_BY_NAME: Final[Mapping[tuple[str, str], Kind]] = {(kind.api_version, kind.kind): kind for kind in ALL}


def kind_of(manifest: Mapping[str, Any]) -> Kind:
    """Raises KeyError for a kind that the operator does not know: it never writes one."""
    return _BY_NAME[manifest["apiVersion"], manifest["kind"]]


def ref_of(manifest: Mapping[str, Any]) -> Ref:
    metadata = manifest["metadata"]
    return Ref(kind=kind_of(manifest), namespace=metadata.get("namespace", ""), name=metadata["name"])
