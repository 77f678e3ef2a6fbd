"""Experiment IDs: text on the wire, integers in the database."""

from tracking_server.errors import DoesNotExist, InvalidParameter
from tracking_server.services.limits import shown

_LARGEST_INT32 = 2**31 - 1
_LARGEST_INT64 = 2**63 - 1


def experiment_key(experiment_id: str, dialect: str) -> int:
    """Raises DoesNotExist for a number that the column cannot hold: drivers would make that an error of their own."""
    digits = experiment_id.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal()):
        raise InvalidParameter(f"Invalid experiment ID {shown(experiment_id)}. Experiment ID must be a valid integer.")
    # SQLite alone can hold the 18 digits of an ID that came from a folder of files.
    largest = _LARGEST_INT64 if dialect == "sqlite" else _LARGEST_INT32
    if len(digits) > len(str(largest)) or abs(int(experiment_id)) > largest:
        raise no_experiment(shown(experiment_id))
    return int(experiment_id)


def no_experiment(experiment_id: object) -> DoesNotExist:
    return DoesNotExist(f"No Experiment with id={experiment_id} exists")
