"""Experiment IDs: text on the wire, integers in the database."""

from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services.limits import shown

_LARGEST_INT32 = 2**31 - 1
_LARGEST_INT64 = 2**63 - 1
_MOST_DIGITS = 30


def parse_experiment_id(experiment_id: str) -> int:
    digits = experiment_id.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        raise InvalidParameter(f"Invalid experiment ID {shown(experiment_id)}. Experiment ID must be a valid integer.")
    return int(experiment_id)


def experiment_key(experiment_id: str, dialect: str) -> int:
    """Raises DoesNotExist for a number that the column cannot hold: drivers would make that an error of their own."""
    key = parse_experiment_id(experiment_id)
    # SQLite alone can hold the 18 digits of an ID that came from a folder of files.
    if abs(key) > (_LARGEST_INT64 if dialect == "sqlite" else _LARGEST_INT32):
        raise no_experiment(key)
    return key


def no_experiment(key: int) -> DoesNotExist:
    return DoesNotExist(f"No Experiment with id={key} exists")
