"""JSON that is a number and nothing else: SQLite keeps it as a number, in a column that was declared as JSON. Pure."""

import math
import re
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile(r"\s*(-?\d+(\.\d+)?([eE][+-]?\d+)?)\s*")
_INTEGERS: Final = range(-(2**63), 2**63)


def bound_in_sqlite(text: str) -> str | int | float:
    """What to give to SQLite, which would read some numbers in a text less exactly than Python does."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    number, fraction, exponent = match.groups()
    if fraction is None and exponent is None and int(number) in _INTEGERS:
        return int(number)
    kept = float(number)
    return int(kept) if kept.is_integer() and int(kept) in _INTEGERS else kept


def as_sqlite_keeps(text: str) -> str:
    """1.0 is 1 there. Other JSON stays as it is spelt."""
    bound = bound_in_sqlite(text)
    return bound if isinstance(bound, str) else repr(bound)


def loses_in_sqlite(text: str) -> bool:
    """Whether another number would come back."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return False
    kept = as_sqlite_keeps(text)
    return not math.isfinite(float(kept)) or Decimal(kept) != Decimal(match[1])
