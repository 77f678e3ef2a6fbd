"""JSON that is a number and nothing else: SQLite keeps it as a number, in a column that was declared as JSON. Pure."""

import math
import re
from decimal import Decimal
from typing import Final

_NUMBER: Final = re.compile(r"\s*(-?\d+(\.\d+)?([eE][+-]?\d+)?)\s*")
_INTEGERS: Final = range(-(2**63), 2**63)


def as_sqlite_keeps(text: str) -> str:
    """1.0 is 1 there. Other JSON stays as it is spelt."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    number, fraction, exponent = match.groups()
    if fraction is None and exponent is None and int(number) in _INTEGERS:
        return str(int(number))
    kept = float(number)
    return str(int(kept)) if kept.is_integer() and int(kept) in _INTEGERS else repr(kept)


def loses_in_sqlite(text: str) -> bool:
    """Whether another number would come back."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return False
    kept = as_sqlite_keeps(text)
    return not math.isfinite(float(kept)) or Decimal(kept) != Decimal(match[1])
