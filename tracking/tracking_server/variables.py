"""Variables of the environment that a part of the server reads for itself, beside the settings of the server, and what
both understand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T")
D = TypeVar("D")

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
FALSE: Final = frozenset({"false", "0", "no", "off"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One variable, as code and documentation see it."""

    name: str
    meaning: str


class Reading:
    """Blank counts as not given. `faults` fills while variables are read, so that all can be told at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.faults: list[str] = []
        self._environ = environ

    def __call__(self, name: str, parse: Callable[[str], T], default: D) -> T | D:
        text = self._environ.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as refused:
            self.faults.append(f"{name} {refused}.")
            return default


def flag(text: str) -> bool:
    if text.lower() in _TRUE | FALSE:
        return text.lower() in _TRUE
    raise ValueError(f"must be true or false, not {text!r}")
