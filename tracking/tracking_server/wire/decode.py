"""A raw request to its struct, in two speeds.

What the MLflow client sends decodes straight into the struct. Anything unusual (an unknown field, a null, camelCase, a
number for an enum, a missing field) fails there, and is read once more the lenient way, which accepts what MLflow's
server accepts and names the field when it cannot.
"""

import enum
import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar, cast

import msgspec

from tracking_server.entities.lifecycle import ViewType
from tracking_server.errors import InvalidParameter, as_json, invalid_value
from tracking_server.wire.fields import NUMBERS, Field, fields_of
from tracking_server.wire.raw import RawRequest

Shape = TypeVar("Shape", bound=msgspec.Struct)

_SHOWN_CHARACTERS = 200
MOST_VALUES = 200_000
"""In one document: ten times what the largest meaningful request holds, and little memory when all are read."""
_NUMERAL = re.compile(r"-?[0-9]+")
_LONGEST_NUMERAL = 20
"""Python refuses to make a number of thousands of digits; no enumeration has a number of more than one."""
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_WITH_JSON_BODY = frozenset({"POST", "PUT"})
_PLACE = re.compile(r" - at `\$\.?(?P<place>.*)`$")
_STEP = re.compile(r"\.?(\w+)|\[(\d+)\]")


class FieldReader:
    """`fields` are those that it reads: by them the table of routes is compared with the contract."""

    fields: tuple[Field, ...]


class Decoder(FieldReader, Generic[Shape]):
    def __init__(self, shape: type[Shape], repeated_in_body: Iterable[str]) -> None:
        self._shape = shape
        self._decode_exactly = msgspec.json.Decoder(shape, strict=False).decode
        self.fields = fields_of(shape)
        self._repeated = tuple(repeated_in_body)

    def __call__(self, raw: RawRequest) -> Shape:
        if raw.method == "GET" and not raw.body:
            return _converted({**_from_query(self.fields, raw.query), **raw.path_parameters}, self.fields, self._shape)
        if raw.method in _WITH_JSON_BODY:
            _check_content_type(raw.content_type)
        if len(raw.body) > 2 * MOST_VALUES:
            _check_values(raw.body)
        if not raw.path_parameters:
            try:
                return self._decode_exactly(raw.body)
            except (msgspec.MsgspecError, RecursionError, UnicodeError):
                pass  # read again below, where every fault gets its name
        document = _document(raw.body)
        for name in self._repeated:
            value = document.get(name)
            if value is None or value == "":
                raise _missing(name)
            if not isinstance(value, str):
                raise _unfit(value, name, "expected a text.")
        return _converted({**document, **raw.path_parameters}, self.fields, self._shape)


def decoder(shape: type[Shape], *, repeated_in_body: Iterable[str] = ()) -> Decoder[Shape]:
    """`repeated_in_body`: fields of the path that MLflow's server wants to see in the body as well."""
    return Decoder(shape, repeated_in_body)


def _check_content_type(content_type: str) -> None:
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise InvalidParameter(
            f"Bad Request. Content-Type must be one of ['application/json'], got {content_type[:_SHOWN_CHARACTERS]!r}."
        )


def _check_values(body: bytes) -> None:
    """A value takes a byte or two on the wire, and fifty times as much when it is read."""
    if _values_in(body, 0, len(body)) <= MOST_VALUES:
        return
    found, end = 0, 0
    for string in _STRING.finditer(body):
        found += _values_in(body, end, string.start())
        end = string.end()
        if found > MOST_VALUES:
            break
    if found + _values_in(body, end, len(body)) > MOST_VALUES:
        raise InvalidParameter(f"The request body holds more than {MOST_VALUES} values.")


def _values_in(body: bytes, start: int, stop: int) -> int:
    """At most, and exactly where there are no strings."""
    return sum(body.count(mark, start, stop) for mark in (b",", b"[", b"{"))


def _document(body: bytes) -> Mapping[str, object]:
    """The JSON object in the body. What is not JSON counts as empty, so the answer names what is missing."""
    try:
        document: object = msgspec.json.decode(body)
        if isinstance(document, str):
            document = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeError):
        return {}
    except RecursionError:
        raise InvalidParameter("The request body is nested too deeply.") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InvalidParameter(f"The request body must be a JSON object, got {as_json(document)}.")
    return cast("dict[str, object]", document)


def _from_query(fields: tuple[Field, ...], query: Mapping[str, Iterable[str]]) -> dict[str, object]:
    given: dict[str, object] = {}
    for field in fields:
        values = list(query.get(field.name, ()))
        if not values:
            continue
        if field.is_list:
            given[field.name] = values
        elif field.is_flag:
            given[field.name] = values[0].lower()
        else:
            given[field.name] = values[0]
    return given


def _converted(given: Mapping[str, object], fields: tuple[Field, ...], shape: type[Shape]) -> Shape:
    conformed = _conform(given, fields, place="")
    try:
        return msgspec.convert(conformed, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error, conformed) from None


def _conform(given: Mapping[str, object], fields: tuple[Field, ...], place: str) -> dict[str, object]:
    """What the fields can use of what was given, under their own names. Nulls and unknown fields count as unset."""
    conformed: dict[str, object] = {}
    for field in fields:
        value = _given_value(given, field, place)
        if value is not None:
            value = _conform_value(value, field, f"{place}{field.name}")
        if value is not None:
            conformed[field.name] = value
    _fill_run_id(conformed, fields)
    for field in fields:
        value = conformed.get(field.name)
        if field.is_required and (value is None or (field.is_text and value == "")):
            raise _missing(f"{place}{field.name}")
        if field.is_text and not isinstance(value, str | None):
            raise _unfit(value, f"{place}{field.name}", "expected a text.")
    return conformed


def _given_value(given: Mapping[str, object], field: Field, place: str) -> object:
    if field.camel_name == field.name or field.camel_name not in given:
        return given.get(field.name)
    if field.name in given:
        raise InvalidParameter(
            f"The parameter '{place}{field.name}' was given twice, as '{field.name}' and as '{field.camel_name}'."
        )
    return given[field.camel_name]


def _conform_value(value: object, field: Field, place: str) -> object:
    if field.enumeration is not None:
        return _enumerator(value, field.enumeration, place)
    if field.is_flag and isinstance(value, str) and value not in {"true", "false"}:
        raise _unfit(value, place, "expected true or false.")
    if field.item is None:
        return value
    if field.is_list and isinstance(value, list):
        return [
            _conform(cast("dict[str, object]", each), field.item, f"{place}[{index}].")
            if isinstance(each, dict)
            else each
            for index, each in enumerate(cast("list[object]", value))
        ]
    if not field.is_list and isinstance(value, dict):
        return _conform(cast("dict[str, object]", value), field.item, f"{place}.")
    return value


def _enumerator(value: object, enumeration: type[enum.StrEnum], place: str) -> object:
    """By name, by number or by the number as text. An unknown name is unset; an unknown number only of a view type."""
    if isinstance(value, str) and not _NUMERAL.fullmatch(value):
        return value if value in set(enumeration) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        found = (
            None if isinstance(value, str) and len(value) > _LONGEST_NUMERAL else NUMBERS[enumeration].get(int(value))
        )
        if found is not None:
            return found.value
        if enumeration is ViewType:
            return None
    raise _unfit(value, place, f"expected one of {', '.join(each.value for each in enumeration)}.")


def _fill_run_id(conformed: dict[str, object], fields: tuple[Field, ...]) -> None:
    """`run_uuid` is the old name of `run_id`; the requests that may still use it have a field of that name."""
    if not conformed.get("run_id") and "run_uuid" in conformed and any(field.name == "run_id" for field in fields):
        conformed["run_id"] = conformed["run_uuid"]


def _missing(place: str) -> InvalidParameter:
    return InvalidParameter(
        f"Missing value for required parameter '{place}'."
        " See the API docs for more information about request parameters."
    )


def _invalid(error: msgspec.ValidationError, given: object) -> InvalidParameter:
    """msgspec says what it expected and where; the value itself is looked up."""
    text = str(error)
    found = _PLACE.search(text)
    if found is None:
        return InvalidParameter(f"Invalid request: {text}.")
    place = found["place"]
    value = given
    for name, index in _STEP.findall(place):
        value = cast("dict[str, object]", value)[name] if name else cast("list[object]", value)[int(index)]
    return _unfit(value, place, f"{text[: found.start()]}.")


def _unfit(value: object, place: str, reason: str) -> InvalidParameter:
    return invalid_value(
        value,
        place,
        f"{reason} Hint: Value was of type '{type(value).__name__}'. See the API docs for more information about"
        " request parameters.",
    )
