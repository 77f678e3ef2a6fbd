"""How large the parts of an upload are when nobody knows how long it will be; pure."""

from typing import Final

LARGEST_BYTES: Final = 4000 * 1024 * 1024
"""No store takes larger ones than all do."""

_STEPS: Final = 11
_FEW: Final = 80
"""The first doubling comes after such a share of the parts: servers that keep a list of them beside the object, in an
attribute of 4 KiB, take fewer than 1,000."""
_LEAST: Final = 100


def part_bytes(first_bytes: int, part_limit: int, number: int) -> int:
    """The size of the part with that number, from 0: it doubles early, and after each eleventh of all.

    So small files take little memory, and with 5 MiB and 10,000 parts there is room for more than 5 TiB.
    """
    steps = max(min(number // (part_limit // _STEPS), _STEPS - 1), int(number >= max(part_limit // _FEW, _LEAST)))
    return min(first_bytes << steps, LARGEST_BYTES)
