"""How large the parts of an upload are when nobody knows how long it will be; pure."""

from typing import Final

LARGEST_BYTES: Final = 4000 * 1024 * 1024
"""No store takes larger ones than all do."""

_STEPS: Final = 11


def part_bytes(first_bytes: int, part_limit: int, number: int) -> int:
    """The size of the part with that number, from 0: it doubles after each eleventh of the parts that there may be.

    So small files take little memory, and with 5 MiB and 10,000 parts there is room for more than 5 TiB.
    """
    return min(first_bytes << min(number // (part_limit // _STEPS), _STEPS - 1), LARGEST_BYTES)
