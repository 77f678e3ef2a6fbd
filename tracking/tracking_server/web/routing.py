"""Method and path to the row of the table that answers; pure.

Nearly all paths of the API are fixed, so a dictionary finds them. The few with a parameter are tried one by one.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tracking_server.web.route import Row

_API = "/api/"
_BROWSER_API = "/ajax-api/"
_PARAMETER = re.compile(r"\{(\w+)(\*?)\}")
_NO_PARAMETERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    row: Row
    path_parameters: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class WrongMethod:
    """The path is there, for other methods."""

    allowed: tuple[str, ...]


@dataclass(kw_only=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    rows: dict[str, Row] = field(default_factory=dict[str, Row])


class RouteTable:
    """Raises ValueError when two rows want the same requests."""

    def __init__(self, rows: Iterable[Row], *, static_prefix: str = "") -> None:
        self._exact: dict[str, dict[str, Row]] = {}
        self._patterns: dict[str, _Pattern] = {}
        self._static_prefix = static_prefix
        for row in rows:
            for path in paths_of(row):
                self._add(row, path)

    def find(self, method: str, path: str) -> Match | WrongMethod | None:
        """HEAD finds what GET finds."""
        if self._static_prefix:
            if not path.startswith(f"{self._static_prefix}/"):
                return None
            path = path[len(self._static_prefix) :]
        wanted = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        by_method = self._exact.get(path)
        if by_method is not None:
            if row := by_method.get(wanted):
                return Match(row=row, path_parameters=_NO_PARAMETERS)
            allowed.update(by_method)
        for pattern in self._patterns.values():
            if found := pattern.expression.fullmatch(path):
                if row := pattern.rows.get(wanted):
                    return Match(row=row, path_parameters=found.groupdict())
                allowed.update(pattern.rows)
        return WrongMethod(allowed=_methods(allowed)) if allowed else None

    def _add(self, row: Row, path: str) -> None:
        rows = self._rows_of_pattern(path) if "{" in path else self._exact.setdefault(path, {})
        if row.method in rows:
            raise ValueError(f"two routes for {row.method} {path}")
        rows[row.method] = row

    def _rows_of_pattern(self, path: str) -> dict[str, Row]:
        expression = "".join(_expression_of(part) for part in re.split(r"(\{\w+\*?\})", path))
        return self._patterns.setdefault(expression, _Pattern(expression=re.compile(expression, re.DOTALL))).rows


def paths_of(row: Row) -> tuple[str, ...]:
    """Every path that a row is served at."""
    if row.path.startswith(_API):
        return row.path, _BROWSER_API + row.path.removeprefix(_API)
    return (row.path,)


def _expression_of(part: str) -> str:
    parameter = _PARAMETER.fullmatch(part)
    if parameter is None:
        return re.escape(part)
    return f"(?P<{parameter[1]}>{'.+' if parameter[2] else '[^/]+'})"


def _methods(allowed: set[str]) -> tuple[str, ...]:
    return tuple(sorted(allowed | {"HEAD"} if "GET" in allowed else allowed))
