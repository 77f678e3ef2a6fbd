"""What the folder and the database say of one thing that both have. Pure; nothing here is ever written over."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from tracking_server.database.statements.metrics import Point
from tracking_server.filestore.fitting import alike
from tracking_server.filestore.rows import Experiment, FoundRun

UNFINISHED: Final = frozenset({"RUNNING", "SCHEDULED"})
_FIELDS: Final = ("name", "status", "lifecycle_stage", "start_time", "end_time")
_FIXED_WHILE_RUNNING: Final = ("name", "lifecycle_stage", "start_time")
_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownRun:
    name: str | None
    status: str | None
    lifecycle_stage: str | None
    start_time: int | None
    end_time: int | None
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    latest: Mapping[str, tuple[int, int, float]] = field(default_factory=dict[str, tuple[int, int, float]])
    """Step, time and value of each metric's latest point."""

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED


@dataclass(frozen=True, slots=True)
class Same:
    """The database has all that the folder has, and perhaps more."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The run was not over when it was read, and the folder has more of it by now."""

    has_ended: bool


@dataclass(frozen=True, slots=True)
class Differs:
    what: tuple[str, ...]


Comparison: TypeAlias = Same | Grown | Differs


def compare_run(found: FoundRun, latest: Sequence[Point], known: KnownRun) -> Comparison:
    fields = _FIXED_WHILE_RUNNING if known.is_unfinished else _FIELDS
    differs = [name for name in fields if getattr(found.row, name) != getattr(known, name)]
    differs += [f"params/{key}" for key, value in found.params.items() if known.params.get(key, value) != value]
    differs += [f"tags/{key}" for key, value in found.tags.items() if known.tags.get(key, value) != value]
    grown = [f"params/{key}" for key in found.params if key not in known.params]
    grown += [f"tags/{key}" for key in found.tags if key not in known.tags]
    grown += [f"metrics/{point.key}" for point in latest if _is_newer(point, known)]
    has_ended = known.is_unfinished and found.row.status != known.status
    if differs or (grown and not known.is_unfinished):
        return Differs(tuple([*differs, *grown][:_SHOWN]))
    return Grown(has_ended) if grown or has_ended else Same()


def _is_newer(point: Point, known: KnownRun) -> bool:
    stored = known.latest.get(point.key)
    return stored is None or (point.step, point.timestamp, point.value) > stored


class KnownExperiment(NamedTuple):
    experiment_id: int
    name: str
    creation_time: int | None
    artifact_location: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an experiment of the folder goes. `experiment_id`: None when the database is to choose it."""

    experiment_id: int | None
    name: str
    is_known: bool


def place_experiment(
    found: Experiment, known: Sequence[KnownExperiment], names_in_folder: AbstractSet[str], dialect: str
) -> Place:
    """The same experiment is known by its time and its name or place, or by its name where no time is known.

    Another one that has its name, or its id, keeps both: the new one gets a name with its id, and an id of its own.
    """
    for each in known:
        if _is_same(found, each, names_in_folder):
            return Place(experiment_id=each.experiment_id, name=each.name, is_known=True)
    names = {alike(each.name, dialect) for each in known}
    name = _short(found.name, dialect)
    if alike(name, dialect) in names:
        name = _short(found.name, dialect, f" ({found.experiment_id})")
    is_free = all(each.experiment_id != found.experiment_id for each in known)
    fits = dialect == "sqlite" or found.experiment_id < 2**31
    return Place(experiment_id=found.experiment_id if is_free and fits else None, name=name, is_known=False)


def _is_same(found: Experiment, known: KnownExperiment, names_in_folder: AbstractSet[str]) -> bool:
    if found.experiment_id == 0 or known.experiment_id == 0:
        return found.experiment_id == known.experiment_id
    if found.creation_time is None:
        return found.name == known.name
    if found.creation_time != known.creation_time:
        return False
    was_renamed = known.name not in names_in_folder
    return found.name == known.name or (was_renamed and found.artifact_location == known.artifact_location)


def _short(name: str, dialect: str, suffix: str = "") -> str:
    limit = len(name) + len(suffix) if dialect == "sqlite" else 256
    return f"{name[: limit - len(suffix)]}{suffix}"
