"""What a plan can ask for. `cluster/carry_out.py` does it, in the order given, and decides nothing."""

from dataclasses import dataclass
from typing import TypeAlias

from tracking_operator.resource.kinds import Manifest, Ref


@dataclass(frozen=True, kw_only=True, slots=True)
class Apply:
    """Server-side apply. `drift` names the fields that somebody else had changed, when that is why."""

    manifest: Manifest
    drift: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    ref: Ref
    replicas: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Create:
    manifest: Manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Delete:
    """Only the very object that was seen."""

    ref: Ref
    uid: str


Action: TypeAlias = Apply | Scale | Create | Delete
