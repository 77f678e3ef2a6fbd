"""What the operators have asked the API server for, as its audit log tells it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tests.support.kubectl import audited

OPERATOR: Final = "system:serviceaccount:trackplane-system:trackplane-operator"
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    at: datetime
    pod: str
    """Which of the operators asked."""
    verb: str
    group: str
    resource: str
    """With its subresource, as in a Role: `deployments/scale`."""
    namespace: str
    name: str
    code: int
    is_allowed: bool
    """By its roles. Something else may refuse it all the same: a namespace that is being deleted takes nothing new."""

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES


def asked(*, since: datetime = ALWAYS) -> list[Asked]:
    """In order. Without what is about no object: health, versions, discovery."""
    found = (_asked(entry) for entry in audited() if entry["user"]["username"] == OPERATOR and "objectRef" in entry)
    return [one for one in found if one.at >= since]


def written(namespace: str, *, since: datetime = ALWAYS) -> list[Asked]:
    """The changes that were made in a namespace."""
    return [one for one in asked(since=since) if one.is_write and one.namespace == namespace and one.code < 400]


def now() -> datetime:
    """By the clock of the API server, which is that of this machine."""
    return datetime.now(UTC)


def _asked(entry: Mapping[str, Any]) -> Asked:
    about: Mapping[str, str] = entry["objectRef"]
    (pod,) = entry["user"]["extra"]["authentication.kubernetes.io/pod-name"]
    subresource = about.get("subresource")
    return Asked(
        at=datetime.fromisoformat(entry["requestReceivedTimestamp"]),
        pod=pod,
        verb=entry["verb"],
        group=about.get("apiGroup", ""),
        resource=f"{about['resource']}/{subresource}" if subresource else about.get("resource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=entry["responseStatus"]["code"],
        is_allowed=entry.get("annotations", {}).get("authorization.k8s.io/decision") == "allow",
    )
