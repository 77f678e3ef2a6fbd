"""What can go wrong in the operator, named for what happens next.

OperatorError
├── SettingsInvalid     the process cannot start: its environment has to be mended
├── SpecInvalid         the user must edit the resource: a condition names each field, nothing is retried
├── NotReadyYet         come back after a delay: something outside has to change first
└── ClusterRefused      the API server said no (RBAC, quota, admission): long delay, and an Event

Anything else is a bug of ours: it rises, is logged with its traceback, and the object is tried again with back-off.
"""

from dataclasses import dataclass


class OperatorError(Exception):
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One thing that is wrong with a resource: where (`spec.gc.schedule`) and what to do about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SettingsInvalid(OperatorError):
    """Carries every fault at once; the path of a fault is the name of the variable."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class SpecInvalid(OperatorError):
    """Carries every fault at once, so that one edit can mend them all."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = faults


class NotReadyYet(OperatorError):
    def __init__(self, message: str, *, delay_seconds: float) -> None:
        super().__init__(message)
        self.delay_seconds = delay_seconds


class ClusterRefused(OperatorError):
    """`status` is the HTTP status of the API server (403, 422, ...), `reason` its machine-readable reason."""

    def __init__(self, message: str, *, status: int, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
