"""How far a step is: done, not needed, under way, or failed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from tracking_operator.decisions.actions import Action
from tracking_operator.decisions.observed import Job
from tracking_operator.decisions.situation import Situation
from tracking_operator.resource.conditions import Reason

POLL_SECONDS: Final = 30.0
"""How long a step waits for an event before it looks again: events can be lost."""


class StepName(StrEnum):
    """As they stand in `status.upgrade.steps`."""

    CHECK = "Check"
    CHECK_STORE = "CheckStore"
    QUIESCE = "Quiesce"
    HOOKS = "Hooks"
    BACKUP = "Backup"
    VERIFY = "Verify"
    MIGRATE = "Migrate"
    RESTORE = "Restore"
    ROLL_OUT = "RollOut"


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    job: Job | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class Working:
    reason: Reason
    message: str
    actions: tuple[Action, ...] = ()
    job: Job | None = None
    wait_seconds: float = POLL_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    reason: Reason
    message: str
    needs_person: bool = True
    """Nothing gets better by waiting: somebody has to change something."""
    retry_at: datetime | None = None
    """When the Jobs of the plan are made anew; None when they are not, or heal by themselves."""
    job: Job | None = None
    wait_seconds: float | None = None


Progress: TypeAlias = Done | Skipped | Working | Failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    name: StepName
    take: Callable[[Situation], Progress]
    needs_quiet: bool
    """No pod of the server may run, and no garbage collection."""
