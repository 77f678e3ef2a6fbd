"""Print the first YAML file with the others merged in: mappings key by key, lists appended, anything else replaced."""

import sys
from functools import reduce
from pathlib import Path
from typing import TypeAlias

import yaml

Value: TypeAlias = "dict[str, Value] | list[Value] | str | int | bool | None"


def merged(base: Value, more: Value) -> Value:
    if isinstance(base, dict) and isinstance(more, dict):
        return base | {key: merged(base[key], value) if key in base else value for key, value in more.items()}
    if isinstance(base, list) and isinstance(more, list):
        return base + more
    return more


documents: list[Value] = [yaml.safe_load(Path(name).read_text()) for name in sys.argv[1:]]
sys.stdout.write(yaml.safe_dump(reduce(merged, documents), sort_keys=False))
