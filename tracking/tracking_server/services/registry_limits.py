"""What names, aliases, numbers and texts of the model registry may be. Pure; every refusal says what was found."""

import re
from collections.abc import Iterable
from typing import Final

from tracking_server.entities.model_versions import Stage
from tracking_server.entities.tags import IS_PROMPT_TAG, Tag
from tracking_server.errors import BadRequest, InvalidParameter
from tracking_server.services.limits import check_key, check_length, shown

MAX_ALIAS: Final = 255
MAX_TAG_VALUE: Final = 100_000

WIDTHS: Final = {
    "name": 256,
    "new_name": 256,
    "description": 5000,
    "source": 500,
    "run_id": 32,
    "run_link": 500,
    "tag value": 5000,
}
"""Of columns that are narrower than what the API allows; a tag value only of a registered model."""

_ALIAS: Final = re.compile(r"[\w\-]+")
_NUMBERED: Final = re.compile(r"v\d+", re.IGNORECASE)
_LARGEST_NUMBER: Final = 2**31 - 1
_MOST_DIGITS: Final = 30


def check_name(name: str, place: str = "name") -> None:
    if not name.strip():
        raise InvalidParameter(f"Missing value for required parameter '{place}'.")
    if "/" in name or ":" in name:
        raise InvalidParameter(f"Invalid model name {shown(name)}. Names cannot contain '/' or ':'.")
    if name in {".", ".."} or "\x00" in name:
        raise InvalidParameter(
            f"Invalid value {shown(name)} for parameter '{place}' supplied: it is not a name that a file could have."
        )


def check_alias(alias: str) -> None:
    if not _ALIAS.fullmatch(alias):
        raise InvalidParameter(
            f"Invalid alias name: {shown(alias)}. Names may only contain alphanumerics, underscores (_), and dashes"
            " (-)."
        )
    check_length(alias, MAX_ALIAS, "alias")


def check_new_alias(alias: str) -> None:
    check_alias(alias)
    if is_latest(alias):
        raise InvalidParameter("'latest' alias name (case insensitive) is reserved.")
    if _NUMBERED.fullmatch(alias):
        raise InvalidParameter(f"Version alias name {shown(alias)} is reserved.")


def is_latest(alias: str) -> bool:
    return alias.lower() == "latest"


def check_tag(tag: Tag, place: str = "") -> None:
    check_key(tag.key, f"{place}key")
    check_length(tag.value, MAX_TAG_VALUE, f"{place}value")


def check_width(value: str, column: str, dialect: str) -> None:
    """Raises BadRequest for what the engine cannot keep. SQLite keeps every length, as MLflow's server relies on."""
    width = WIDTHS[column]
    if dialect != "sqlite" and len(value) > width:
        raise BadRequest(
            f"Invalid value {shown(value)} for parameter '{column}' supplied: it has {len(value)} characters, and the"
            f" database keeps at most {width}."
        )


def parse_version(version: str) -> int:
    """As lenient as Python's `int`; 0, which no version has, for a number that no column holds."""
    try:
        number = int(version) if len(version) <= _MOST_DIGITS else None
    except ValueError:
        number = None
    if number is None:
        raise InvalidParameter(f"Parameter 'version' must be an integer, got {shown(version)}.")
    return number if 0 < number <= _LARGEST_NUMBER else 0


def parse_stage(stage: str) -> Stage:
    """In any case of letters."""
    for known in Stage:
        if known.lower() == stage.lower():
            return known
    raise InvalidParameter(f"Invalid Model Version stage: {stage[:100]}. Value must be one of {', '.join(Stage)}.")


def is_prompt(tags: Iterable[Tag]) -> bool:
    """The last tag of a key counts."""
    return is_prompt_mark({tag.key: tag.value for tag in tags}.get(IS_PROMPT_TAG))


def is_prompt_mark(value: str | None) -> bool:
    return (value or "").lower() == "true"
