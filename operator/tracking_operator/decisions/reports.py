"""What a Job answers through the termination message of its pod: one JSON object, written by `trackplane` itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeGuard, cast

LONGEST_MESSAGE: Final = 1024

SchemaState: TypeAlias = Literal["Empty", "Current", "Outdated", "Newer", "Foreign"]
_STATES: Final = frozenset({"Empty", "Current", "Outdated", "Newer", "Foreign"})


@dataclass(frozen=True, kw_only=True, slots=True)
class JobReport:
    """`reason` and `message` say what failed, and are empty when nothing did. `content` is the whole report."""

    is_success: bool
    reason: str
    message: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Revisions:
    """Of one lineage of the schema: where the database is, and where the image that looked needs it to be."""

    current: str | None
    head: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemaReport:
    """What a check found in the database."""

    dialect: str
    state: SchemaState
    mlflow: Revisions
    trackplane: Revisions
    is_additive: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupReport:
    """What is in a backup, and where it is."""

    path: str
    mlflow: str | None
    trackplane: str | None
    tables: int | None
    rows: int | None
    size_bytes: int | None
    sha256: str | None


def parse_report(text: str) -> JobReport | None:
    """None when the text is not a report: a hook may write what it likes, a killed pod writes nothing."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict):
        return None
    report = cast("dict[str, Any]", content)
    if not isinstance(report.get("ok"), bool):
        return None
    return JobReport(
        is_success=report["ok"],
        reason=str(report.get("reason") or ""),
        message=str(report.get("message") or "")[:LONGEST_MESSAGE],
        content=report,
    )


def parse_schema_report(report: JobReport | None) -> SchemaReport | None:
    """None when the report is not that of a check."""
    if report is None:
        return None
    state = report.content.get("state")
    if not _is_state(state):
        return None
    return SchemaReport(
        dialect=str(report.content.get("dialect") or ""),
        state=state,
        mlflow=_revisions(report.content.get("mlflow")),
        trackplane=_revisions(report.content.get("trackplane")),
        is_additive=report.content.get("additive") is True,
    )


def parse_backup_report(report: JobReport | None) -> BackupReport | None:
    """None when the report names no archive."""
    path = None if report is None else report.content.get("path")
    if report is None or not isinstance(path, str) or not path:
        return None
    content = report.content
    return BackupReport(
        path=path,
        mlflow=_text(content.get("mlflow")),
        trackplane=_text(content.get("trackplane")),
        tables=_number(content.get("tables")),
        rows=_number(content.get("rows")),
        size_bytes=_number(content.get("size_bytes")),
        sha256=_text(content.get("sha256")),
    )


def _is_state(value: object) -> TypeGuard[SchemaState]:
    return value in _STATES


def _revisions(value: object) -> Revisions:
    found = cast("dict[str, Any]", value) if isinstance(value, dict) else {}
    return Revisions(current=_text(found.get("current")), head=_text(found.get("head")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
