"""Answers of two servers made comparable: what a server makes up (ids, times, tokens) becomes a placeholder."""

import json
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

MADE_UP: Final = re.compile(
    r"m-[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|127\.0\.0\.1:\d+|"
    r"\b[a-z]+-[a-z]+-\d{1,4}\b|20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?"
)
ABSENT: Final = "<absent>"
A_TIME: Final = 1_500_000_000_000
"""Milliseconds since 1970; whole numbers above it are times that a server or a client took from its clock."""

_UNORDERED: Final = frozenset({"metrics", "params", "tags", "aliases", "latest_versions"})


def normalised(answer: Json) -> Json:
    """Equal ids stay equal: each is numbered by where it first appears."""
    seen: dict[str, str] = {}

    def placeholder(match: re.Match[str]) -> str:
        return seen.setdefault(match.group(), f"<{len(seen) + 1}>")

    def walk(value: Json, name: str = "") -> Json:
        match value:
            case dict():
                return {key: walk(value[key], key) for key in sorted(value)}
            case list():
                return sorted_where_order_means_nothing(name, [walk(item, name) for item in value])
            case str() if name.endswith("page_token"):
                return "<token>"
            case str():
                return MADE_UP.sub(placeholder, value)
            case int() if value > A_TIME:
                return "<time>"
            case _:
                return value

    return walk(answer)


def sorted_where_order_means_nothing(name: str, items: list[Json]) -> list[Json]:
    """The contract gives no order to the metrics, params and tags of one run or model, nor to what a model has."""
    return sorted(items, key=json.dumps) if name in _UNORDERED else items


def assert_same(ours: Json, theirs: Json) -> None:
    """Names each place where they differ."""
    found = list(differences(ours, theirs))
    lines = [f"{path or 'the answer'}: ours {left!r}, theirs {right!r}" for path, left, right in found]
    assert not found, "\n".join(["the servers differ:", *lines])


def differences(ours: Json, theirs: Json, path: str = "") -> Iterator[tuple[str, Json, Json]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            yield from differences(ours.get(key, ABSENT), theirs.get(key, ABSENT), f"{path}.{key}".removeprefix("."))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (left, right) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(left, right, f"{path}[{index}]")
    elif ours != theirs:
        yield path, ours, theirs
