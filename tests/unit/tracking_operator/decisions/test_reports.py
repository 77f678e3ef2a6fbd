import json
from typing import Any

import pytest

from tracking_operator.decisions.reports import (
    LONGEST_MESSAGE,
    BackupReport,
    Revisions,
    SchemaReport,
    parse_backup_report,
    parse_report,
    parse_schema_report,
)

CHECK: dict[str, Any] = {
    "ok": True,
    "command": "db check",
    "dialect": "sqlite",
    "state": "Outdated",
    "mlflow": {"current": "dc11669786a5", "head": "dc11669786a5"},
    "trackplane": {"current": None, "head": "0001"},
    "migration_needed": True,
    "additive": True,
    "steps": [],
}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing: the pod was killed"),
        pytest.param("done.", id="words of a hook"),
        pytest.param("[1]", id="not an object"),
        pytest.param('{"state": "Current"}', id="no word about success"),
        pytest.param('{"ok": "yes"}', id="no truth"),
    ],
)
def test_what_is_no_report(text: str) -> None:
    assert parse_report(text) is None


def test_a_failure_says_why() -> None:
    report = parse_report(json.dumps({"ok": False, "reason": "LockBusy", "message": "x" * 9999}))
    assert report is not None
    assert not report.is_success
    assert report.reason == "LockBusy"
    assert len(report.message) == LONGEST_MESSAGE


def test_a_check_tells_the_schema() -> None:
    assert parse_schema_report(parse_report(json.dumps(CHECK))) == SchemaReport(
        dialect="sqlite",
        state="Outdated",
        mlflow=Revisions(current="dc11669786a5", head="dc11669786a5"),
        trackplane=Revisions(current=None, head="0001"),
        is_additive=True,
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"state": "Fine"}, id="a state that we do not know"),
        pytest.param({"state": None}, id="no state"),
    ],
)
def test_another_report_tells_no_schema(change: dict[str, Any]) -> None:
    assert parse_schema_report(parse_report(json.dumps({**CHECK, **change}))) is None
    assert parse_schema_report(None) is None


def test_a_backup_tells_where_it_is() -> None:
    text = json.dumps({"ok": True, "path": "/b/1", "mlflow": "dc", "tables": 65, "rows": True, "sha256": ""})
    assert parse_backup_report(parse_report(text)) == BackupReport(
        path="/b/1", mlflow="dc", trackplane=None, tables=65, rows=None, size_bytes=None, sha256=None
    )
    assert parse_backup_report(parse_report('{"ok": true}')) is None
    assert parse_backup_report(None) is None
