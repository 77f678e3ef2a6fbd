"""Numbers of 32 bits, which MySQL and MariaDB keep in columns of type FLOAT. Pure."""

import struct
from typing import Final

_SINGLE: Final = struct.Struct("<f")
_MOST_DIGITS: Final = 9
"""With so many, every number of 32 bits has a decimal spelling of its own."""
_LARGEST: Final = float.fromhex("0x1.fffffep+127")


def as_single(value: float) -> float:
    """What 32 bits keep of it. Raises OverflowError."""
    (kept,) = _SINGLE.unpack(_SINGLE.pack(value))
    return float(kept)


def shortest(single: float) -> float:
    """The decimal number of the fewest digits of which 32 bits keep `single`: 0.1, not 0.10000000149011612."""
    for digits in range(1, _MOST_DIGITS + 1):
        spelt = float(f"{single:.{digits}g}")
        if abs(spelt) <= _LARGEST and as_single(spelt) == single:
            return spelt
    return single
