"""The custom resource definition as the API server applies it: defaults filled in, every breach named with its path.

It is read from the one copy of the CRD, so that no default, limit or message is written twice. On a cluster the API
server has done this work already; `render` and `local` have none, and an older object may not meet a newer schema.
"""

import difflib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any, Final, TypeAlias, cast

import yaml

from tracking_operator.errors import Fault
from tracking_operator.resource.rules import RULES

Schema: TypeAlias = Mapping[str, Any]

_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    "object": (dict, "a map"),
    "array": (list, "a list"),
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
}


@functools.cache
def custom_resource_definition() -> Mapping[str, Any]:
    file = resources.files("tracking_operator.resource") / "trackingservers.yaml"
    definition: Mapping[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return definition


def resource_schema() -> Schema:
    """The schema of the whole resource, metadata apart."""
    schema: Schema = custom_resource_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def complete(schema: Schema, value: Any) -> Any:
    """A copy of `value` with the defaults of `schema`; nulls are left out, as the API server leaves them out."""
    if isinstance(value, dict):
        given = {key: item for key, item in cast(Schema, value).items() if item is not None}
        properties: Schema = schema.get("properties", {})
        for key, inner in properties.items():
            if key not in given and "default" in inner:
                given[key] = inner["default"]
        others = schema.get("additionalProperties", {})
        return {key: complete(properties.get(key, others), item) for key, item in given.items()}
    if isinstance(value, list):
        return [complete(schema.get("items", {}), item) for item in cast(Sequence[Any], value)]
    return value


def breaches(schema: Schema, value: Any, path: str = "") -> Iterator[Fault]:
    """Every fault of a completed value, so that one edit can mend them all."""
    found = [*_own_breaches(schema, value, path), *_inner_breaches(schema, value, path)]
    yield from found
    yield from _broken_rules(schema, value, path, is_sound=not found)


def _own_breaches(schema: Schema, value: Any, path: str) -> Iterator[Fault]:
    if not _has_type(schema, value):
        expected = "text or a whole number" if _is_int_or_string(schema) else _TYPES[schema["type"]][1]
        yield Fault(path=path, message=f"must be {expected}, not {_shown(value)}")
        return
    if "enum" in schema and value not in schema["enum"]:
        yield Fault(path=path, message=f"must be one of {', '.join(schema['enum'])}, not {_shown(value)}")
    match value:
        case str():
            yield from _text_breaches(schema, value, path)
        case bool():
            pass
        case int():
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                limits = f"from {schema.get('minimum', '-')} to {schema.get('maximum', '-')}"
                yield Fault(path=path, message=f"must be {limits}, not {value}")
        case dict():
            yield from _map_breaches(schema, cast(Schema, value), path)
        case list():
            yield from _list_breaches(schema, cast(Sequence[Any], value), path)
        case _:
            pass


def _text_breaches(schema: Schema, value: str, path: str) -> Iterator[Fault]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        limits = f"{schema.get('minLength', 0)} to {schema.get('maxLength', 'any number of')}"
        yield Fault(path=path, message=f"must have {limits} characters, not {len(value)}")
    elif "pattern" in schema and not _matches(schema["pattern"], value):
        yield Fault(path=path, message=f"must match {schema['pattern']}, {_shown(value)} does not")


def _map_breaches(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[Fault]:
    for key in schema.get("required", ()):
        if key not in value:
            yield Fault(path=_join(path, key), message="is required")
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        limits = f"{schema.get('minProperties', 0)} to {schema.get('maxProperties', 'any number of')}"
        yield Fault(path=path, message=f"must have {limits} entries, not {len(value)}")
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        known: Schema = schema["properties"]
        for key in value:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"
                yield Fault(path=_join(path, key), message=f"is not a known field{hint}")


def _list_breaches(schema: Schema, value: Sequence[Any], path: str) -> Iterator[Fault]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        limits = f"{schema.get('minItems', 0)} to {schema.get('maxItems', 'any number of')}"
        yield Fault(path=path, message=f"must have {limits} items, not {len(value)}")
    seen: list[Any] = []
    for index, item in enumerate(value):
        identity = _identity(schema, item)
        if identity is not None and identity in seen:
            yield Fault(path=f"{path}[{index}]", message=f"is there twice: {_shown(identity)}")
        seen.append(identity)


def _identity(schema: Schema, item: Any) -> Any:
    """What may be in the list only once; None when anything may repeat."""
    match schema.get("x-kubernetes-list-type"):
        case "set":
            return item
        case "map" if isinstance(item, dict):
            fields = cast(Schema, item)
            return ", ".join(str(fields.get(key)) for key in schema["x-kubernetes-list-map-keys"])
        case _:
            return None


def _inner_breaches(schema: Schema, value: Any, path: str) -> Iterator[Fault]:
    if isinstance(value, dict):
        properties: Schema = schema.get("properties", {})
        others: Schema | None = schema.get("additionalProperties")
        for key, item in cast(Schema, value).items():
            if key in properties:
                yield from breaches(properties[key], item, _join(path, key))
            elif others is not None:
                yield from breaches(others, item, f"{path}[{key}]")
    elif isinstance(value, list) and "items" in schema:
        for index, item in enumerate(cast(Sequence[Any], value)):
            yield from breaches(schema["items"], item, f"{path}[{index}]")


def _broken_rules(schema: Schema, value: Any, path: str, *, is_sound: bool) -> Iterator[Fault]:
    """Rules over `oldSelf` compare with what was there before; only an API server knows that."""
    for validation in schema.get("x-kubernetes-validations", ()):
        rule: str = validation["rule"]
        if "oldSelf" not in rule and not _holds(rule, value, is_sound=is_sound):
            yield Fault(path=path + validation.get("fieldPath", "") or "metadata.name", message=validation["message"])


def _holds(rule: str, value: Any, *, is_sound: bool) -> bool:
    """A value with another fault may lack what the rule looks at: then the other fault says enough."""
    try:
        return RULES[rule](value)
    except (AttributeError, KeyError, TypeError):
        if is_sound:
            raise
        return True


def _has_type(schema: Schema, value: Any) -> bool:
    if _is_int_or_string(schema):
        return isinstance(value, int | str) and not isinstance(value, bool)
    if "type" not in schema:
        return True
    expected, _ = _TYPES[schema["type"]]
    return isinstance(value, expected) and (expected is bool or not isinstance(value, bool))


def _is_int_or_string(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-int-or-string"))


def _matches(pattern: str, value: str) -> bool:
    """As Go matches: `$` is the very end, where Python's would let a line break follow."""
    strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    return re.search(strict, value) is not None


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
