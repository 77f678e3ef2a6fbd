"""Where things are for a process: all that differs between a cluster and one machine."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where things are for a process: absolute paths of folders and of one file, an address, and what to run."""

    executable: tuple[str, ...]
    database: str
    artifacts: str
    backups: str
    secrets: str
    temporary: str
    report: str
    host: str
    port: int


CLUSTER: Final = Places(
    executable=("trackplane",),
    database="/var/lib/trackplane/database",
    artifacts="/var/lib/trackplane/artifacts",
    backups="/var/lib/trackplane/backups",
    secrets="/var/lib/trackplane/secrets",
    temporary="/tmp",  # noqa: S108  # an emptyDir of the pod
    report="/dev/termination-log",
    host="0.0.0.0",  # noqa: S104  # inside a pod, behind its Service
    port=5000,
)
