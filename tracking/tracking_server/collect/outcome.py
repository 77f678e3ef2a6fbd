"""What a collection was asked for, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptBackups:
    """What was deleted before the oldest of them was taken, none of them needs.

    `oldest_at`: milliseconds since the epoch; None when it cannot be told, so that everything is needed.
    """

    oldest_at: int | None
    oldest: str
    """Its name, for the report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Everything that was deleted before a time; or only what is named, when anything is."""

    deleted_before: int
    """Milliseconds since the epoch."""
    run_ids: Sequence[str] = ()
    experiment_ids: Sequence[str] = ()
    logged_model_ids: Sequence[str] = ()
    jobs: bool = False
    """Jobs of MLflow's server too, or only those of `job_ids`."""
    job_ids: Sequence[str] = ()
    jobs_created_before: int | None = None
    backups: KeptBackups | None = None

    @property
    def names_any(self) -> bool:
        return bool(self.run_ids or self.experiment_ids or self.logged_model_ids or self.job_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stays:
    """Something that is deleted, and was not removed."""

    kind: str
    id: str
    reason: str


@dataclass(kw_only=True, slots=True)
class Outcome:
    """`kept` is what something live points to. `leftovers` is what could not be removed: it stays claimed."""

    runs: int = 0
    logged_models: int = 0
    experiments: int = 0
    traces: int = 0
    datasets: int = 0
    jobs: int = 0
    artifacts_files: int = 0
    artifacts_bytes: int = 0
    kept: list[Stays] = field(default_factory=list[Stays])
    leftovers: list[Stays] = field(default_factory=list[Stays])
