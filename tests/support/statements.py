"""Every statement that is built once, by its name."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Executable

from tracking_server.database import statements
from tracking_server.database.statements.bulk_insert import BulkInsert


def _constants() -> Iterator[tuple[str, object]]:
    for module in pkgutil.iter_modules(statements.__path__, f"{statements.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            yield f"{module.name.rpartition('.')[2]}.{name}", value


STATEMENTS: Final[Mapping[str, Executable]] = {
    name: value for name, value in _constants() if isinstance(value, Executable)
}
BULK_INSERTS: Final[Mapping[str, BulkInsert]] = {
    name: value for name, value in _constants() if isinstance(value, BulkInsert)
}
ONLY: Final = {"metrics._ALL_ON_POSTGRESQL": "postgresql", "runs._INSERT_WITH_TAGS_ON_POSTGRESQL": "postgresql"}
"""Those that are of one engine."""
