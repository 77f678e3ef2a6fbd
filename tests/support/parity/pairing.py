"""Two answers compared value by value; what each server makes up is paired with what the other made up.

An id of ours stands for one id of theirs, always the same. A time that a server took from its clock stands for the call
in which it was taken.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.support.parity.answers import ABSENT, Json

MADE_UP: Final = re.compile(
    r"(?:m-|d-|a-|tr-)?\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|127\.0\.0\.1:\d+|"
    r"(?<=mlflow-artifacts:/)\d+(?=/|$)|(?<=experiment )\d+|(?<=experiment with id )\d+|(?<=Experiment with id=)\d+|"
    r"\b[a-z]+-[a-z]+-\d{1,4}\b"
)
TIMES: Final = frozenset(
    {
        *("creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp"),
        *("creation_timestamp_ms", "last_updated_timestamp_ms"),
    }
)
UNORDERED: Final = frozenset(
    {
        "metrics",
        "params",
        "tags",
        "dataset_inputs",
        "model_inputs",
        "model_outputs",
        "aliases",
        "latest_versions",
        "events",
    }
)
"""Lists whose order the contract leaves open, where they are a part of something."""


@dataclass(kw_only=True, slots=True)
class Clock:
    """When each call to one server began and ended, in milliseconds. No two calls share one."""

    begins: list[int] = field(default_factory=list[int])
    ends: list[int] = field(default_factory=list[int])

    def note(self, began: int, ended: int) -> None:
        self.begins.append(began)
        self.ends.append(ended)

    def call_at(self, moment: int) -> str | None:
        index = bisect_right(self.begins, moment) - 1
        if index < 0:
            return "<before the first call>"
        return f"<during call {index}>" if moment <= self.ends[index] else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    place: str
    ours: Json
    theirs: Json

    def __str__(self) -> str:
        return f"{self.place or 'the answer'}: ours {_short(self.ours)}, theirs {_short(self.theirs)}"


class Pairing:
    def __init__(self) -> None:
        self.clocks = (Clock(), Clock())
        self._theirs: dict[str, str] = {}
        self._ours: dict[str, str] = {}

    def pair(self, ours: str, theirs: str) -> bool:
        """Whether they stand for each other, from now on if neither is known."""
        return self._theirs.setdefault(ours, theirs) == theirs and self._ours.setdefault(theirs, ours) == ours

    def differences(self, ours: Json, theirs: Json, path: Sequence[str | int] = ()) -> Iterator[Difference]:
        match ours, theirs:
            case dict(), dict():
                for key in sorted({*ours, *theirs}):
                    yield from self.differences(ours.get(key, ABSENT), theirs.get(key, ABSENT), (*path, key))
            case list(), list() if len(ours) == len(theirs):
                if _is_unordered(path):
                    ours, theirs = sorted(ours, key=self._order), sorted(theirs, key=_plain_order)
                for index, (left, right) in enumerate(zip(ours, theirs, strict=True)):
                    yield from self.differences(left, right, (*path, index))
            case _ if not self._are_equal(ours, theirs, path[-1] if path else ""):
                yield Difference(place=_written(path), ours=ours, theirs=theirs)
            case _:
                pass

    def _are_equal(self, ours: Json, theirs: Json, key: str | int) -> bool:
        if ABSENT in (ours, theirs):
            return ours == theirs
        match ours, theirs:
            case str(), str() if key == "next_page_token":
                return bool(ours) == bool(theirs)
            case str(), str() if key == "experiment_id":
                return self.pair(f"experiment {ours}", f"experiment {theirs}")
            case str(), str():
                return ours == theirs or self._texts_are_equal(ours, theirs)
            case int(), int() if key in TIMES:
                left, right = self.clocks[0].call_at(ours), self.clocks[1].call_at(theirs)
                return left == right and (left is not None or ours == theirs)
            case _:
                return ours == theirs and type(ours) is type(theirs)

    def _texts_are_equal(self, ours: str, theirs: str) -> bool:
        if MADE_UP.split(ours) != MADE_UP.split(theirs):
            return False
        pairs = zip(MADE_UP.finditer(ours), MADE_UP.finditer(theirs), strict=True)
        return all(self.pair(_key(left), _key(right)) for left, right in pairs)

    def _order(self, item: Json) -> str:
        """Where its twin of theirs stands."""
        return MADE_UP.sub(lambda match: self._theirs.get(_key(match), match.group()), _plain_order(item))


def _key(match: re.Match[str]) -> str:
    return f"experiment {match.group()}" if match.group().isdecimal() else match.group()


def _is_unordered(path: Sequence[str | int]) -> bool:
    """The metrics of a run have no order; those of a history, at the top of the answer, do."""
    return path[-1] in UNORDERED and len(path) > 1


def _plain_order(item: Json) -> str:
    return json.dumps(item, sort_keys=True)


def _written(path: Sequence[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _short(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
