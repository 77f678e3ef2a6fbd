"""How large the parts of an upload are when nobody knows how long it will be; pure."""

_STEPS = 10


def part_bytes(first_bytes: int, part_limit: int, number: int) -> int:
    """The size of the part with that number, from 0: it doubles after each tenth of the parts that there may be.

    So small files take little memory, and with 5 MiB and 10,000 parts there is room for 5 TiB.
    """
    return first_bytes << min(number // (part_limit // _STEPS), _STEPS - 1)
