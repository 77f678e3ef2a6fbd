"""The tables of docs/reference/resource.md, made from the CRD: `python -m tests.support.resource_page` writes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tracking_operator.resource.schema import Schema, resource_schema

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/reference/resource.md"
MARK: Final = "<!-- Below this line: made by `python -m tests.support.resource_page`. -->\n"


def generated() -> str:
    properties = resource_schema()["properties"]
    lines = [
        "",
        "## spec",
        "",
        *_table(properties["spec"], "spec"),
        "",
        "## Rules",
        "",
        "| Where | Rule |",
        "|---|---|",
        *(f"| `{path or 'the whole'}` | {message} |" for path, message in _rules(resource_schema(), "")),
        "",
        "## status",
        "",
        *_table(properties["status"], "status"),
        "",
    ]
    return "\n".join(lines)


def written() -> str:
    """What the page holds below its mark."""
    return PAGE.read_text().partition(MARK)[2]


def _table(schema: Schema, path: str) -> Iterator[str]:
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for name, field, is_required in _fields(schema, path):
        needed = "required" if is_required else _default(field)
        yield f"| `{name}` | {_type(field)} | {needed} | {field['description'].replace('<', '&lt;')} |"


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        yield here, field, name in required
        items: Schema = field.get("items", {})
        yield from _fields(items, f"{here}[]") if "properties" in items else _fields(field, here)


def _type(field: Schema) -> str:
    kind = field.get("type", "quantity")
    if "enum" in field:
        return " \\| ".join(f"`{one}`" for one in field["enum"])
    if kind == "array":
        return "list" if "properties" in field["items"] else f"list of {_type(field['items'])}"
    if kind == "object" and "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}"
    if kind == "integer" and {"minimum", "maximum"} <= field.keys():
        return f"integer, {field['minimum']} to {field['maximum']}"
    return str(field.get("format", kind))


def _default(field: Schema) -> str:
    default: Any = field.get("default")
    if default in (None, {}):
        return ""
    text = yaml.safe_dump(default, default_flow_style=True, width=1000, sort_keys=False)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


def _rules(schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    for validation in schema.get("x-kubernetes-validations", ()):
        yield path + validation.get("fieldPath", ""), validation["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(MARK)[0] + MARK + generated())
