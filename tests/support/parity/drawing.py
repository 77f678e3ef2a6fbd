"""What calls are drawn from: what is known to be there, and values that fit, just fit, or do not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeAlias, TypeVar

from tests.support.parity.answers import Json
from tests.support.parity.calls import Call

T = TypeVar("T")
Draw: TypeAlias = Random


@dataclass(kw_only=True, slots=True)
class Known:
    """What the calls so far have made, by name."""

    made: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    counted: int = 0

    def of(self, kind: str) -> list[Any]:
        return self.made.setdefault(kind, [])

    def next_number(self) -> int:
        self.counted += 1
        return self.counted


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """`needs`: the kinds of which something must be there. `weight`: how often, next to the others."""

    draw: Callable[[Draw, Known], Call]
    needs: Sequence[str] = ()
    weight: int = 1


NOBODY: Final = "0" * 32
KEYS: Final = ("a", "b", "loss", "acc/val", "with space", "dotted.key", "ключ", "a-b_c:d", "A", "100", "a" * 250)
BAD_KEYS: Final = (
    "",
    "a" * 251,
    "a//b",
    "./a",
    "../a",
    "/a",
    ".",
    "..",
    "a/",
    "a/../b",
    "a#b",
    "a\tb",
    "a'b",
    "a%b",
    "😀",
)
TEXTS: Final = (
    "",
    "v",
    "w",
    "1",
    "0.5",
    "V",
    "a_b",
    "a%b",
    "it's",
    "größe",
    "日本語",
    "x y",
    "😀",
    "line\nbreak",
    "None",
    "z" * 600,
)
LONG_TEXTS: Final = ("p" * 6000, "p" * 6001, "t" * 8000, "t" * 8001, "u" * 20_000, "u" * 20_001)
METRIC_VALUES: Final = (0, 1, -1, 0.5, 0.25, 1e308, -2.5, "NaN", "Infinity", "-Infinity", "0.75", 5e-324, 3, 2**53)
BAD_METRIC_VALUES: Final[Sequence[Json]] = (None, "x", "", [], {}, "1,5")
TIMESTAMPS: Final = (0, 1, 2, 3, 4, 5, 1000, "7", 2**53, 2**62)
BAD_TIMESTAMPS: Final[Sequence[Json]] = (-1, None, "x", 2**63, 2**70, [], "")
STEPS: Final = (0, 1, 2, 3, -1, 10, 100, "4", -(2**40))
BAD_STEPS: Final[Sequence[Json]] = ("x", 2**63, [], {})
MANGLED: Final[Sequence[Json]] = (None, "", "x", 7, -1, 1.5, True, [], ["x"], {}, {"x": "y"}, "ф" * 300)


def chance(draw: Draw, one_in: int) -> bool:
    return draw.randrange(one_in) == 0


def a_coin(draw: Draw) -> bool:
    return draw.random() < 0.5


def one_of(draw: Draw, values: Sequence[T]) -> T:
    return draw.choice(values)


def mostly(draw: Draw, good: Sequence[Any], bad: Sequence[Any], one_in: int = 12) -> Any:
    return one_of(draw, bad if chance(draw, one_in) else good)


def a_key(draw: Draw) -> str:
    return str(mostly(draw, KEYS, BAD_KEYS, 20))


def a_value(draw: Draw) -> str:
    return str(mostly(draw, TEXTS, LONG_TEXTS, 15))


def a_known(draw: Draw, known: Known, kind: str, nobody: str = NOBODY, one_in: int = 40) -> Any:
    """One of a kind, now and then one that is nowhere."""
    there = known.of(kind)
    return nobody if not there or chance(draw, one_in) else one_of(draw, there)


def pairs(draw: Draw, most: int = 3) -> list[Json]:
    """Tags or params."""
    return [{"key": a_key(draw), "value": a_value(draw)} for _ in range(draw.randint(0, most))]


def some_of(draw: Draw, **fields: Any) -> dict[str, Any]:
    """Each field, or not. A field may be a function that draws its value."""
    given: dict[str, Any] = {}
    for name, value in fields.items():
        if a_coin(draw):
            given[name] = value() if callable(value) else value
    return given


def mangled(draw: Draw, body: Mapping[str, Json], one_in: int = 25) -> dict[str, Json]:
    """Now and then one field is left out, or holds what it should not."""
    given = dict(body)
    if given and chance(draw, one_in):
        name = one_of(draw, sorted(given))
        if a_coin(draw):
            del given[name]
        else:
            given[name] = one_of(draw, MANGLED)
    return given
