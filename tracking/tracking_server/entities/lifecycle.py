"""Deleting is soft: what is deleted stays, out of sight, until it is restored or collected."""

import enum


class LifecycleStage(enum.StrEnum):
    ACTIVE = "active"
    DELETED = "deleted"


class ViewType(enum.StrEnum):
    """Which stages a search looks at."""

    ACTIVE_ONLY = "ACTIVE_ONLY"
    DELETED_ONLY = "DELETED_ONLY"
    ALL = "ALL"

    @property
    def stages(self) -> tuple[LifecycleStage, ...]:
        match self:
            case ViewType.ACTIVE_ONLY:
                return (LifecycleStage.ACTIVE,)
            case ViewType.DELETED_ONLY:
                return (LifecycleStage.DELETED,)
            case ViewType.ALL:
                return (LifecycleStage.ACTIVE, LifecycleStage.DELETED)
