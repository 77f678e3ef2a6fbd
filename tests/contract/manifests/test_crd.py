"""The definition keeps its own rules: everything is described and bounded, and what it promises exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from tracking_operator.resource import kinds, names
from tracking_operator.resource.schema import Schema, breaches, complete, custom_resource_definition, resource_schema

ROOT: Final = Path(__file__).resolve().parents[3]
FILE: Final = ROOT / "crds/trackplane.io_trackingservers.yaml"

Field = tuple[str, Schema]


def _fields(schema: Schema, path: str = "") -> Iterator[Field]:
    """Every node of the schema below the root, with its path: `spec.gc.schedule`, `spec.gc[]`."""
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, inner
        yield from _fields(inner, here)
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield f"{path}[]", schema[keyword]
            yield from _fields(schema[keyword], f"{path}[]")


# The API server allows no word about the metadata of an object, and sees to its kind and version itself.
FIELDS: Final = tuple(
    field for field in _fields(resource_schema()) if field[0] not in {"metadata", "apiVersion", "kind"}
)


def test_the_operator_carries_the_very_file() -> None:
    assert custom_resource_definition() == yaml.safe_load(FILE.read_text())


def test_the_names_are_those_that_the_operator_uses() -> None:
    definition = custom_resource_definition()
    spec = definition["spec"]
    assert definition["metadata"]["name"] == f"{names.PLURAL}.{names.GROUP}"
    assert (spec["group"], spec["names"]["kind"], spec["names"]["plural"]) == (names.GROUP, names.KIND, names.PLURAL)
    assert (spec["scope"] == "Namespaced") == kinds.TRACKING_SERVER.namespaced
    assert [version["name"] for version in spec["versions"] if version["served"]] == [names.VERSION]


def test_every_field_is_described_in_sentences() -> None:
    assert [path for path, schema in FIELDS if not re.fullmatch(r"[A-Z*].*\.", schema.get("description", ""))] == []


def test_every_field_is_typed_and_bounded() -> None:
    """The API server estimates what a rule costs from the largest value that the schema lets in."""
    assert [path for path, schema in FIELDS if not _is_bounded(schema)] == []


def test_every_default_is_what_its_field_allows() -> None:
    defaults = [(path, schema, schema["default"]) for path, schema in FIELDS if "default" in schema]
    assert [path for path, schema, default in defaults if [*breaches(schema, complete(schema, default))]] == []


def _is_bounded(schema: Schema) -> bool:
    match schema.get("type", "int-or-string"):
        case "string":
            return bool(schema.keys() & {"maxLength", "enum"}) or schema.get("format") == "date-time"
        case "array":
            return {"maxItems", "items", "x-kubernetes-list-type"} <= schema.keys()
        case "object":
            return bool(schema.keys() & {"properties", "maxProperties"})
        case "integer":
            return schema["format"] in {"int32", "int64"}
        case "int-or-string":
            return "maxLength" in schema
        case other:
            return bool(other == "boolean")


@pytest.mark.parametrize(
    "json_path",
    [
        pytest.param(column["jsonPath"], id=column["name"])
        for column in custom_resource_definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    ],
)
def test_a_column_shows_a_field_that_exists(json_path: str) -> None:
    path = re.sub(r"\[\?\(.*?\)\]", "[]", json_path).removeprefix(".")
    known = {path for path, _ in _fields(resource_schema())} | {"metadata.creationTimestamp"}
    assert path in known


def test_the_scale_subresource_points_to_fields_that_exist() -> None:
    scale = custom_resource_definition()["spec"]["versions"][0]["subresources"]["scale"]
    assert {path.removeprefix(".") for path in scale.values()} <= {path for path, _ in _fields(resource_schema())}
