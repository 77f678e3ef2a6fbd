import json

import pytest
from click.testing import CliRunner
from sqlalchemy.exc import OperationalError

from tracking_server.commands.report import LIMIT_BYTES, encode_report, reporting
from tracking_server.errors import (
    ArtifactStoreFailed,
    BackupFailed,
    CommandFailed,
    ConfigInvalid,
    DatabaseUnreachable,
    ExportFailed,
    GarbageCollectionFailed,
    ImportFailed,
    LockBusy,
    MigrationFailed,
    RestoreFailed,
    SchemaUnsupported,
    TemporarilyUnavailable,
)


def test_a_short_report_is_written_as_it_is() -> None:
    content = {"ok": True, "command": "db check", "steps": [{"revision": "0001"}], "size_bytes": 1}
    assert json.loads(encode_report(content)) == content


def test_the_longest_list_of_a_long_report_loses_its_end_and_is_counted() -> None:
    content = {"ok": True, "tables": ["small"], "steps": [{"title": "x" * 100} for _ in range(1000)]}
    encoded = encode_report(content)
    report = json.loads(encoded)
    assert LIMIT_BYTES - 400 < len(encoded) <= LIMIT_BYTES
    assert report["steps_total"] == 1000
    assert report["tables"] == ["small"]
    assert "tables_total" not in report


@pytest.mark.parametrize("character", ["a", "é", "🚀", '"', "\n"])
def test_a_long_text_loses_its_end(character: str) -> None:
    encoded = encode_report({"ok": False, "reason": "MigrationFailed", "message": character * 100_000})
    assert len(encoded) <= LIMIT_BYTES
    assert json.loads(encoded)["reason"] == "MigrationFailed"


def test_no_password_enters_a_report() -> None:
    content = {
        "message": "cannot reach postgresql+psycopg://me:s3cret@host/db",
        "details": [{"url": "mysql://root:s3cret@h/d"}, "host=h password=s3cret dbname=x"],
    }
    assert b"s3cret" not in encode_report(content)


EXIT_CODES: dict[type[CommandFailed], int] = {
    ConfigInvalid: 10,
    DatabaseUnreachable: 11,
    LockBusy: 12,
    SchemaUnsupported: 13,
    MigrationFailed: 14,
    BackupFailed: 15,
    RestoreFailed: 16,
    GarbageCollectionFailed: 17,
    ArtifactStoreFailed: 18,
    ImportFailed: 19,
    ExportFailed: 20,
}


def test_each_failure_has_its_exit_code() -> None:
    assert {kind: kind.exit_code for kind in CommandFailed.__subclasses__()} == EXIT_CODES


@pytest.mark.parametrize("kind", EXIT_CODES)
def test_a_failure_ends_the_process_with_its_exit_code(kind: type[CommandFailed]) -> None:
    with pytest.raises(SystemExit) as end, reporting("gc", None, GarbageCollectionFailed):
        raise kind("why")
    assert end.value.code == EXIT_CODES[kind]


def test_a_database_that_does_not_answer_is_unreachable_in_the_words_of_its_driver(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end, reporting("gc", None, GarbageCollectionFailed, prints_json=True):
        raise TemporarilyUnavailable("Not now.") from OperationalError("", {}, OSError("connection refused"))
    assert end.value.code == 11
    report = json.loads(capsys.readouterr().out)
    assert report == {
        "ok": False,
        "command": "gc",
        "reason": "DatabaseUnreachable",
        "message": "Not now. The driver says: connection refused",
    }


def break_down_after_three_rows() -> None:
    with reporting("backup", None, BackupFailed, prints_json=True) as report:
        report.tell(rows=3)
        raise ZeroDivisionError


def test_an_unforeseen_error_counts_as_the_failure_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        break_down_after_three_rows()
    captured = capsys.readouterr()
    assert end.value.code == 15
    assert json.loads(captured.out)["rows"] == 3
    assert "ZeroDivisionError" in captured.err


def test_a_success_prints_what_it_was_told() -> None:
    runner = CliRunner()
    with runner.isolation() as (out, _, _), reporting("backup", None, BackupFailed, prints_json=True) as report:
        report.tell(rows=3)
    assert json.loads(out.getvalue()) == {"ok": True, "command": "backup", "rows": 3}
