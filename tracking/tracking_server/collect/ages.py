"""`--older-than` as MLflow spells it, and shares. Pure."""

import re
from typing import Final

from tracking_server.errors import ConfigInvalid

_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
_AGE: Final = re.compile(rf"(?:{_NUMBER}d)?(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?")
_SHARE: Final = re.compile(rf"{_NUMBER}\s*%")
_UNIT_MILLISECONDS: Final = (86_400_000, 3_600_000, 60_000, 1_000)


def parse_age(text: str) -> int:
    """Milliseconds. Raises ConfigInvalid."""
    match = _AGE.fullmatch(text.strip())
    if match is None or not any(match.groups()):
        raise ConfigInvalid(f"{text!r} is not an age. Write days, hours, minutes, seconds, such as 30d, 1d12h or 90m.")
    numbers = (float(number or 0) for number in match.groups())
    return round(sum(number * unit for number, unit in zip(numbers, _UNIT_MILLISECONDS, strict=True)))


def parse_share(text: str) -> float:
    """Of 1. Raises ConfigInvalid."""
    match = _SHARE.fullmatch(text.strip())
    share = float(match[1]) / 100 if match else -1.0
    if not 0 <= share <= 1:
        raise ConfigInvalid(f"{text!r} is not a share. Write percent from 0% to 100%, such as 10%.")
    return share
